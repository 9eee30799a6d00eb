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

test("one without a port is looked for at the port that is told, else at the own one", async () => {
  const addresses = ["app@10.0.0.7", "10.0.0.8:7001"];
  const told = new ProviderRun(Providers.static({ addresses, port: 7000 }));
  await told.ended();
  expect(told.sets[0]?.candidates).toEqual([
    { address: "10.0.0.7:7000", name: "app@10.0.0.7" },
    { address: "10.0.0.8:7001" },
  ]);
  const self = { name: "a", cluster: "c", address: "10.0.0.1:7009", host: "10.0.0.1", port: 7009 };
  const own = new ProviderRun(Providers.static({ addresses: ["10.0.0.7"] }), { self });
  await own.ended();
  expect(own.sets[0]?.candidates).toEqual([{ address: "10.0.0.7:7009" }]);
});

test("what is no IP address is refused at once", () => {
  for (const address of ["example.org:7000", "10.0.0.7:0", "10.0.0.7:70000", "a@b", 7]) {
    expect(() => Providers.static({ addresses: [address as string] })).toThrow(
      expect.objectContaining({ code: "invalid_options" }),
    );
  }
  expect(() => Providers.static({ addresses: "10.0.0.7:7000" } as never)).toThrow(/list/);
  expect(() => Providers.static({ address: [] } as never)).toThrow(/did you mean 'addresses'/);
});
