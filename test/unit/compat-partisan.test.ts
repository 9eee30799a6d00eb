import { describe, expect, test } from "vitest";
import { fromPartisan } from "../../ts/compat/index.ts";
import { resolveOverlays } from "../../ts/kernel/overlay-options.ts";

const keys = (lines: readonly { readonly key: string | undefined }[]): (string | undefined)[] =>
  lines.map(({ key }) => key);

describe("fromPartisan", () => {
  test("makes overlays and their channels", () => {
    const { config, unsupported, warnings } = fromPartisan({
      controlPlane: { overlay: "fullMesh", channels: ["coordination"] },
      dataPlane: { overlay: "hyparview", channels: ["events", "user_data"] },
    });
    expect(config).toEqual({
      overlays: {
        controlPlane: { strategy: "fullMesh", channels: ["coordination"] },
        dataPlane: { strategy: "hyparview", channels: ["events", "user_data"] },
      },
      channels: { coordination: {}, events: {}, user_data: {} },
    });
    expect([unsupported, warnings]).toEqual([[], []]);
    // A node takes them as they are.
    const names = Object.keys(config.channels);
    expect(resolveOverlays(config.overlays, names)).toHaveLength(2);
  });

  test("understands the names of Partisan's managers, and its options", () => {
    const { config, mapped, ignored, unsupported } = fromPartisan({
      data: {
        peer_service_manager: ":partisan_hyparview_peer_service_manager",
        active_max: 6,
        passiveMax: 20,
        shuffle_interval: 5_000,
        xbot_enabled: true,
        active_min: 3,
      },
      clients: { strategy: "client_server", tag: "client" },
    });
    expect(config.overlays).toEqual({
      // Six with the node itself.
      data: {
        strategy: "hyparview",
        activeMax: 5,
        passiveMax: 20,
        shuffleMs: 5_000,
        optimize: true,
      },
      clients: { strategy: "clientServer", role: "client" },
    });
    expect(keys(mapped)).toContain("peer_service_manager");
    expect(keys(ignored)).toEqual(["active_min"]);
    expect(unsupported).toEqual([]);
  });

  test("understands every form of a channel", () => {
    const { config, ignored } = fromPartisan({
      a: {
        overlay: "fullMesh",
        parallelism: 2,
        channels: [
          "x",
          ["monotonic", "y"],
          ["z", { parallelism: 4, compression: true }],
          "undefined",
        ],
      },
      b: { overlay: "static", channels: { w: { monotonic: true } } },
    });
    expect(config.channels).toEqual({
      x: { lanes: 2 },
      y: { lanes: 2, monotonic: true },
      z: { lanes: 4 },
      default: { lanes: 2 },
      w: { monotonic: true },
    });
    expect(keys(ignored)).toEqual(["compression"]);
  });

  test("tells of what it cannot map, and of what nobody knows", () => {
    const { config, unsupported, warnings } = fromPartisan({
      a: { overlay: "ring" },
      b: { overlay: "static", channels: [5] },
      c: 7,
      d: { overlay: "static", active_maxx: 1 },
    });
    expect(Object.keys(config.overlays)).toEqual(["b", "d"]);
    expect(unsupported.map(({ topology, key }) => [topology, key])).toEqual([
      ["a", "overlay"],
      ["b", "channels"],
      ["c", undefined],
    ]);
    expect(warnings[0]?.text).toContain("did you mean 'active_max'?");
    expect(() => fromPartisan([])).toThrow(/an object of overlays/);
  });
});
