import { describe, expect, test } from "vitest";
import { TypedEvents } from "../../ts/base/typed-events.ts";
import type { ControlSink } from "../../ts/kernel/control.ts";
import type { Directory } from "../../ts/kernel/directory.ts";
import { NO_HANDLE, Peers } from "../../ts/kernel/members.ts";
import { type MemberNews, Membership } from "../../ts/kernel/membership.ts";
import type { NodeEvents } from "../../ts/kernel/node-types.ts";

/** Takes news and writes down what is made of it. */
function scene(onUp = () => {}): {
  log: string[];
  peers: Peers;
  take: (news: MemberNews) => void;
} {
  const log: string[] = [];
  const events = new TypedEvents<NodeEvents>();
  events.on("up", ({ name, life }) => log.push(`up ${name} ${life}`));
  events.on("down", ({ name, reason }) => log.push(`down ${name} ${reason}`));
  events.on("channelUp", ({ name, channel }) => log.push(`channelUp ${name} ${channel}`));
  events.on("channelDown", ({ name, channel }) => log.push(`channelDown ${name} ${channel}`));
  const sink: Partial<ControlSink> = {
    onLinkDown: (_peer, handle) => log.push(`linkDown ${handle}`),
    onPeerDown: (peer, reason) => log.push(`rejected ${peer.name} ${reason}`),
    onRouteChanged: () => log.push("route"),
  };
  const peers = new Peers();
  const directory: Pick<Directory, "isDeclaredName"> = {
    isDeclaredName: (name) => name === "default",
  };
  const membership = new Membership(peers, directory, events, sink as ControlSink, onUp);
  return { log, peers, take: (news) => membership.handle(news) };
}

function up(life: string): MemberNews {
  return { type: "membersUp", members: [[3, "pear", "127.0.0.1:1", life, 0, false]] };
}

function down(life: string): MemberNews {
  return { type: "memberDown", node: "pear", life, reason: "left" };
}

function linked(peer: number, newsNo: number, isLinked: boolean = true): MemberNews {
  const channels = isLinked ? ["default", "theirs"] : [];
  return { type: "linked", peer, newsNo, node: "pear", life: "1", isLinked, channels };
}

function unlinked(peer: number, newsNo: number, reason: string): MemberNews {
  return { type: "unlinked", peer, newsNo, node: "pear", reason };
}

describe("members of a node with overlays", () => {
  test("are up once however often it is told, and without a link at first", () => {
    const { log, peers, take } = scene();
    take(up("1"));
    take(up("1"));
    expect(log).toEqual(["up pear 1"]);
    expect(peers.named("pear")?.handle).toBe(NO_HANDLE);
    expect(peers.numbered(3)?.name).toBe("pear");
  });

  test("come up together, each told of by itself and whoever waits for them once", () => {
    let looks = 0;
    const { log, peers, take } = scene(() => looks++);
    take({
      type: "membersUp",
      members: [
        [3, "pear", "127.0.0.1:1", "1", 0, false],
        [4, "plum", "", "2", 1, false],
        [5, "quince", "127.0.0.1:3", "3", 0, true],
      ],
    });
    expect(log).toEqual(["up pear 1", "up plum 2", "up quince 3"]);
    expect(looks).toBe(1);
    expect(peers.numbered(4)).toMatchObject({ name: "plum", address: "", busyIsolates: 1 });
    expect(peers.named("quince")).toMatchObject({ no: 5, isLeaving: true });
  });

  test("give way to a later run, whose predecessor is down first", () => {
    const { log, peers, take } = scene();
    take(up("1"));
    take(up("2"));
    take(down("1")); // the other ring told it later
    const expected = ["up pear 1", "rejected pear restarted", "down pear restarted", "up pear 2"];
    expect(log).toEqual(expected);
    expect(peers.named("pear")?.life).toBe("2");
  });

  test("keep what waits when a link is released, and lose it when one breaks", () => {
    const { log, peers, take } = scene();
    take(up("1"));
    take(linked(7, 1));
    take(unlinked(7, 2, "released"));
    take(linked(8, 3));
    take(unlinked(8, 4, "silent"));
    expect(log.slice(1)).toEqual([
      "route",
      "channelUp pear default",
      "linkDown 7",
      "channelDown pear default",
      "route",
      "channelUp pear default",
      "linkDown 8",
      "rejected pear silent",
      "channelDown pear default",
    ]);
    expect(peers.behind(8)).toBeUndefined();
    expect(peers.named("pear")?.handle).toBe(NO_HANDLE);
  });

  test("go by the latest news of their link, whichever ring tells it", () => {
    const { peers, take } = scene();
    take(up("1"));
    take(linked(7, 1, false));
    take(linked(8, 3));
    take(linked(7, 1, false));
    take(unlinked(7, 2, "unrouted"));
    expect(peers.named("pear")?.handle).toBe(8);
    expect(peers.behind(7)).toBeUndefined();
    expect(peers.behind(8)?.isLinked).toBe(true);
  });

  test("take their link along when they go", () => {
    const { log, peers, take } = scene();
    take(up("1"));
    take(linked(7, 1));
    take(down("1"));
    expect(log.slice(3)).toEqual([
      "linkDown 7",
      "rejected pear left",
      "channelDown pear default",
      "rejected pear left",
      "down pear left",
    ]);
    expect(peers.size).toBe(0);
    expect(peers.numbered(3)).toBeUndefined();
  });
});
