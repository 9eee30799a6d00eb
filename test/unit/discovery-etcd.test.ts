import { ETCD_DEFAULTS, Providers } from "foundation-runtime";
import { expect, test } from "vitest";
import { EtcdKeys } from "../../ts/distributed/discovery/providers/etcd/etcd-keys.ts";
import { SELF } from "../integration/discovery/provider-contract.ts";

const endpoints = ["http://10.0.0.1:2379", "https://[fd00::1]:2379"];

test("it says which servers it asks, and is quiet about its password", () => {
  const { kind, label } = Providers.etcd({ endpoints, user: "app", password: "swordfish" });
  expect({ kind, label }).toEqual({
    kind: "etcd",
    label: "etcd foundation/ at 10.0.0.1:2379, [fd00::1]:2379",
  });
  expect(ETCD_DEFAULTS).toMatchObject({ prefix: "foundation/", ttlMs: 15_000, timeoutMs: 5_000 });
});

test.each([
  ["no servers", { endpoints: [] }, /list/],
  ["too many servers", { endpoints: Array(33).fill("http://10.0.0.1:2379") }, /1 to 32/],
  ["a server without a scheme", { endpoints: ["10.0.0.1:2379"] }, /http:/],
  ["a password in an address", { endpoints: ["http://a:swordfish@10.0.0.1"] }, /password/],
  ["a user without a password", { endpoints, user: "app" }, /both/],
  ["a password that is not there", { endpoints, user: "app", password: "env:NO_SUCH" }, /NO_SUCH/],
  ["a lease that is too short", { endpoints, ttlMs: 999 }, /1,000/],
  ["no time to answer", { endpoints, timeoutMs: 0 }, /timeoutMs/],
  ["a prefix that is none", { endpoints, prefix: 7 }, /prefix/],
  ["half a certificate", { endpoints, tls: { certFile: "cert.pem" } }, /both/],
  ["an unknown file", { endpoints, tls: { ca: "cert.pem" } }, /unknown option 'ca'/],
  ["an unknown option", { endpoints, host: "10.0.0.1" }, /unknown option 'host'/],
])("%s is refused at once", (_, options, text) => {
  const make = () => Providers.etcd(options as never);
  expect(make).toThrow(expect.objectContaining({ code: "invalid_options" }));
  expect(make).toThrow(text);
  expect(make).not.toThrow(/swordfish/);
});

test("more keys than are read are no complete set, until they are read anew", () => {
  const notes: string[] = [];
  const context = { self: SELF, note: (reason: string) => void notes.push(reason) };
  const entry = (number: number, value: string | undefined = "10.0.0.7:7000") => ({
    key: `k${number}`,
    value,
  });
  const all = Array.from({ length: 16_384 }, (_, number) => entry(number));
  const keys = new EtcdKeys(context, "own", all, true);
  expect(keys.set()).toMatchObject({ isComplete: true, candidates: { length: 16_384 } });
  keys.apply([{ key: "own", value: "10.0.0.1:7000" }, entry(7, "10.0.0.8:7000")]);
  expect(keys.isWhole).toBe(true);
  expect(keys.set().knowsSelf).toBe(true);
  keys.apply([{ key: "own", value: undefined }]);
  expect(keys.set().knowsSelf).toBeUndefined();
  keys.apply([entry(16_384)]);
  expect(keys.set()).toMatchObject({ isComplete: false, candidates: { length: 16_384 } });
  expect(notes).toEqual(["overLimit"]);
});

test("a value that is no node is left out and counted, and comes back when it is one", () => {
  const notes: string[] = [];
  const context = { self: SELF, note: (reason: string) => void notes.push(reason) };
  const odd = ["", "{", "[]", '{"address":"example.org:1"}', '{"address":"10.0.0.7:0"}', "\u0000"];
  const entries = odd.map((value, at) => ({ key: `k${at}`, value }));
  const keys = new EtcdKeys(context, "own", entries, true);
  expect(keys.set()).toEqual({ candidates: [], isComplete: true });
  expect(notes).toHaveLength(odd.length);
  keys.apply([{ key: "k1", value: '{"address":"10.0.0.7:7000","name":"a","isDraining":true}' }]);
  const candidates = [{ address: "10.0.0.7:7000", name: "a", isDraining: true }];
  expect(keys.set().candidates).toEqual(candidates);
  keys.apply([{ key: "k1", value: undefined }]);
  expect(keys.set().candidates).toEqual([]);
});
