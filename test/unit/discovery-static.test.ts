import { Providers } from "foundation-runtime";
import { expect, test } from "vitest";
import { ProviderRun } from "../integration/discovery/provider-contract.ts";

test("addresses that are known beforehand are one complete set", async () => {
  const addresses = ["10.0.0.7:7000", "[fd00::7]:7000"];
  const run = new ProviderRun(Providers.static({ addresses }));
  await run.ended();
  expect(run.failure).toBeUndefined();
  const candidates = addresses.map((address) => ({ address }));
  expect(run.sets).toEqual([{ candidates, isComplete: true }]);
});

test("what is no IP address with a port is refused at once", () => {
  for (const address of ["example.org:7000", "10.0.0.7", "10.0.0.7:70000", "[fd00::7]"]) {
    expect(() => Providers.static({ addresses: [address] })).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
  }
  expect(() => Providers.static({ addresses: "10.0.0.7:7000" } as never)).toThrow(/list/);
  expect(() => Providers.static({ address: [] } as never)).toThrow(/did you mean 'addresses'/);
});
