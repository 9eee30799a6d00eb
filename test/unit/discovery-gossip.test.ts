import { GOSSIP_DEFAULTS, Providers } from "foundation-runtime";
import { expect, test } from "vitest";

const SECRET = "a secret of these tests";

test("its defaults are those of libcluster, and signed", () => {
  expect(GOSSIP_DEFAULTS).toEqual({
    format: "signed",
    port: 45_892,
    multicastAddress: "233.252.1.32",
    multicastTtl: 1,
    interfaceAddress: "0.0.0.0",
    broadcastOnly: false,
    intervalMs: 5_000,
    clockWindowMs: 30_000,
  });
  const { kind, label } = Providers.gossip({ secret: SECRET });
  expect({ kind, label }).toEqual({ kind: "gossip", label: "gossip 233.252.1.32:45892 signed" });
});

test.each([
  ["no secret", {}, /needs a secret/],
  ["no secret in a list", { secrets: [] }, /1 to 8/],
  ["nine secrets", { secrets: Array.from({ length: 9 }, () => SECRET) }, /1 to 8/],
  ["a short one in a list", { secrets: [SECRET, "short"] }, /at least 16/],
  ["two ways to say secret", { secret: SECRET, secrets: [SECRET] }, /in place of one/],
  ["several of libcluster", { format: "libcluster", secrets: [SECRET] }, /in place of one/],
  ["a short secret", { secret: "short" }, /at least 16/],
  ["an empty one of libcluster", { format: "libcluster", secret: "" }, /not empty/],
  ["a secret that is not there", { secret: "env:NO_SUCH_SECRET_HERE" }, /NO_SUCH_SECRET_HERE/],
  ["an unknown option", { secret: SECRET, multicast_addr: "" }, /unknown option 'multicast_addr'/],
  ["another format", { format: "plain" }, /signed, libcluster/],
  ["no port", { secret: SECRET, port: 70_000 }, /65535/],
  ["a group that is none", { secret: SECRET, multicastAddress: "10.0.0.1" }, /group/],
  ["a group by name", { secret: SECRET, multicastAddress: "all.mcast.net" }, /IPv4/],
  ["an IPv6 interface", { secret: SECRET, interfaceAddress: "::1" }, /IPv4/],
  ["a far hop", { secret: SECRET, multicastTtl: 256 }, /255/],
  ["no pause", { secret: SECRET, intervalMs: 0 }, /at least 1/],
  ["an endless window", { secret: SECRET, clockWindowMs: 600_001 }, /600,000/],
  ["a word for a switch", { secret: SECRET, broadcastOnly: "yes" }, /true or false/],
  ["a basename that is signed", { secret: SECRET, basename: "app" }, /libcluster/],
  ["a port of nodes that is signed", { secret: SECRET, nodePort: 7000 }, /libcluster/],
  ["a basename with a host", { format: "libcluster", basename: "app@h" }, /without @/],
])("%s is refused at once", (_, options, text) => {
  const make = () => Providers.gossip(options as never);
  expect(make).toThrow(expect.objectContaining({ code: "invalid_options" }));
  expect(make).toThrow(text);
});
