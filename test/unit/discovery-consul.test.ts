import { CONSUL_DEFAULTS, Providers } from "foundation-runtime";
import { afterEach, expect, test, vi } from "vitest";
import { readInstances } from "../../ts/distributed/discovery/providers/consul/consul-instances.ts";
import { SELF } from "../integration/discovery/provider-contract.ts";

const service = "shop";
afterEach(() => vi.unstubAllEnvs());

test("it asks the agent that Consul's own variable names", () => {
  vi.stubEnv("CONSUL_HTTP_ADDR", "");
  expect(Providers.consul({ service }).label).toBe("consul shop at 127.0.0.1:8500");
  vi.stubEnv("CONSUL_HTTP_ADDR", "10.0.0.7:8500");
  expect(Providers.consul({ service }).label).toBe("consul shop at 10.0.0.7:8500");
  vi.stubEnv("CONSUL_HTTP_ADDR", "https://consul.internal:8501");
  expect(Providers.consul({ service }).label).toBe("consul shop at consul.internal:8501");
  expect(Providers.consul({ service, address: "http://[fd00::7]:1" }).label).toContain(
    "[fd00::7]:1",
  );
  expect(CONSUL_DEFAULTS).toMatchObject({ register: true, passingOnly: true, ttlMs: 15_000 });
});

test.each([
  ["no service", {}, /service/],
  ["a service with a space", { service: "a b" }, /service/],
  ["a socket", { service, address: "unix:///run/consul.sock" }, /http:/],
  ["a token that is not there", { service, token: "env:NO_SUCH" }, /NO_SUCH/],
  ["a check that is too short", { service, ttlMs: 999 }, /1,000/],
  ["a question that is held too long", { service, waitMs: 600_001 }, /600,000/],
  ["no time to answer", { service, timeoutMs: 0 }, /timeoutMs/],
  ["a word for a switch", { service, register: "yes" }, /true or false/],
  ["no port", { service, port: 0 }, /port/],
  ["an empty tag", { service, tag: "" }, /tag/],
  ["half a certificate", { service, tls: { keyFile: "key.pem" } }, /both/],
  ["an unknown option", { service, dc: "dc1" }, /unknown option 'dc'/],
])("%s is refused at once", (_, options, text) => {
  const make = () => Providers.consul(options as never);
  expect(make).toThrow(expect.objectContaining({ code: "invalid_options" }));
  expect(make).toThrow(text);
});

test("a service that this node alone is in is a good answer, and one without it is not", () => {
  const context = { self: SELF, note: () => {} };
  const plan = { passingOnly: true };
  const own = { Service: { Address: SELF.host, Port: SELF.port, Meta: {} }, Checks: [] };
  expect(readInstances([own], plan, context)).toEqual({
    candidates: [],
    isComplete: true,
    knowsSelf: true,
  });
  expect(readInstances([], plan, context)).toEqual({ candidates: [], isComplete: true });
});
