import type { FoundationNode, FoundationOptions } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { LocalNodes, nextEvent } from "./local-nodes.ts";

const nodes = new LocalNodes();
afterEach(async () => nodes.leaveAll());

const SECRET = "a secret of thirty-two bytes, one";
const OTHER_SECRET = "another secret, of the same length";

async function refusedJoin(
  inside: FoundationOptions,
  outside: FoundationOptions,
): Promise<{ inside: FoundationNode; outside: FoundationNode; error: unknown }> {
  const member = await nodes.start({ name: "member", ...inside });
  const stranger = await nodes.start({ name: "stranger", ...outside });
  const error: unknown = await stranger.join(member.address).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { inside: member, outside: stranger, error };
}

describe("a stranger is refused, and both ends know why", () => {
  test.each([
    ["another secret", "auth_failed", { secret: SECRET }, { secret: OTHER_SECRET }],
    ["no secret against one", "auth_failed", { secret: SECRET }, {}],
    ["a secret against none", "auth_failed", {}, { secret: SECRET }],
    ["another cluster", "cluster_mismatch", { cluster: "blue" }, { cluster: "green" }],
    ["a later protocol", "version_mismatch", {}, { protocolVersions: [7, 9] }],
    ["an earlier protocol", "version_mismatch", { protocolVersions: [7, 9] }, {}],
  ] satisfies [string, string, FoundationOptions, FoundationOptions][])(
    "%s: %s",
    async (_, code, insideOptions, outsideOptions) => {
      const { inside, outside, error } = await refusedJoin(insideOptions, outsideOptions);
      expect(error).toMatchObject({ name: "FoundationError", code });
      expect(inside.metrics().handshakesFailed).toEqual({ [code]: expect.any(Number) });
      expect(outside.metrics().dialsFailed).toMatchObject({ [code]: expect.any(Number) });
      expect(inside.members()).toHaveLength(1);
      expect(outside.members()).toHaveLength(1);
    },
  );

  test("the same secret opens the door", async () => {
    const { error, inside } = await refusedJoin({ secret: SECRET }, { secret: SECRET });
    expect(error).toBeUndefined();
    expect(inside.metrics().handshakesFailed).toEqual({});
  });
});

describe("of two live nodes of one name", () => {
  test("the newer is refused by the members, who hear of it, and the older stays", async () => {
    const [member, twin] = await nodes.startCluster(["member", "twin"]);
    const refused = nextEvent(member!, "refused");
    const impostor = await nodes.start({ name: "twin" });
    const join = impostor.join(member!.address);
    await expect(join).rejects.toMatchObject({ code: "duplicate_node" });
    expect(await refused).toEqual({ code: "duplicate_node", name: "twin" });
    expect(member!.members()[1]).toMatchObject({ name: "twin", life: twin!.life });
    expect(member!.metrics().linksLost).toBe(0);
    twin!.handle("who", () => "the older one");
    expect(await member!.call({ node: "twin", name: "who" }, null)).toBe("the older one");
  });

  test("the newer is refused by the older one itself", async () => {
    const twin = await nodes.start({ name: "twin" });
    const refused = nextEvent(twin, "refused");
    const impostor = await nodes.start({ name: "twin" });
    const join = impostor.join(twin.address);
    await expect(join).rejects.toMatchObject({ code: "duplicate_node" });
    expect(await refused).toEqual({ code: "duplicate_node", name: "twin" });
  });

  test("the newer is let in once the older one has left", async () => {
    const [member, twin] = await nodes.startCluster(["member", "twin"]);
    const refused = nextEvent(member!, "refused");
    const heir = await nodes.start({ name: "twin", seeds: [member!.address] });
    await refused;
    const up = nextEvent(member!, "up");
    await twin!.leave();
    expect(await up).toMatchObject({ name: "twin", life: heir.life });
  });
});

describe("an address off loopback", () => {
  test("is refused without a secret, whether it is listened on, told or dialled", async () => {
    const open = nodes.start({ listen: "0.0.0.0:0" });
    await expect(open).rejects.toMatchObject({ code: "insecure_bind" });
    const told = nodes.start({ advertise: "192.0.2.1:7000" });
    await expect(told).rejects.toMatchObject({ code: "insecure_bind" });
    const dialled = nodes.start({ seeds: ["192.0.2.1:7000"] });
    await expect(dialled).rejects.toMatchObject({ code: "insecure_dial" });
    const node = await nodes.start({ name: "careful" });
    await expect(node.join("192.0.2.1:7000")).rejects.toMatchObject({ code: "insecure_dial" });
    expect(node.metrics().dialsFailed).toEqual({ insecure_dial: expect.any(Number) });
  });

  test("is allowed when asked for as insecure, and warned of", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const open = await nodes.start({ name: "open", listen: "0.0.0.0:0", insecure: true });
    const warning = await warned;
    expect(warning).toMatchObject({ code: "FOUNDATION_INSECURE" });
    expect(warning.message).toContain("0.0.0.0:0");
    const guest = await nodes.start({ name: "guest" });
    expect(await guest.join(`127.0.0.1:${open.address.split(":")[1]}`)).toBe("open");
  });
});
