import { describe, expect, test } from "vitest";
import { FoundationError } from "../../ts/base/errors.ts";
import { fromLibcluster, type LibclusterMigration } from "../../ts/compat/index.ts";
import { resolveDiscovery } from "../../ts/distributed/discovery/discovery-options.ts";
import { DOCUMENTED_EXAMPLES } from "./compat-examples.ts";

/** What an example has in Elixir, as somebody writes it over into JavaScript. */
function topology(strategy: string, config: object, more: object = {}): LibclusterMigration {
  return fromLibcluster({ one: { strategy: `Cluster.Strategy.${strategy}`, config, ...more } });
}

function optionsOf(migration: LibclusterMigration): Record<string, unknown> {
  const provider = migration.config.discovery.sources[0]?.provider;
  if (provider === undefined || !("options" in provider)) throw new Error("no options");
  return provider.options;
}

const texts = (lines: readonly { readonly text: string }[]): string[] =>
  lines.map(({ text }) => text);
const keys = (lines: readonly { readonly key: string | undefined }[]): (string | undefined)[] =>
  lines.map(({ key }) => key);

describe("examples that libcluster documents", () => {
  test.each(DOCUMENTED_EXAMPLES)("$name", ({ text, sources, unsupported }) => {
    const migration = fromLibcluster(text);
    expect(migration.config).toEqual({ discovery: { sources } });
    expect(keys(migration.unsupported)).toEqual(unsupported);
    // Plain data: a configuration file can hold it.
    expect(JSON.parse(JSON.stringify(migration.config))).toEqual(migration.config);
  });

  test.each(DOCUMENTED_EXAMPLES)("$name: the providers take it", ({ text }) => {
    const { sources } = fromLibcluster(text).config.discovery;
    expect(() => resolveDiscovery({ sources })).not.toThrow();
  });

  test.each(DOCUMENTED_EXAMPLES)("every key of $name is in the report", ({ text }) => {
    const { mapped, ignored, unsupported } = fromLibcluster(text);
    const reported = keys([...mapped, ...ignored, ...unsupported]);
    const body = text.slice(text.indexOf("topologies")).replace(/children = .*/s, "");
    const written = [...body.matchAll(/^\s*(?:config: \[)?(\w+): (?!\[\n|\[$)/gm)]
      .map((match) => match[1] as string)
      .filter((key) => !["topologies", "example"].includes(key) && !key.endsWith("_example"));
    expect(written.length).toBeGreaterThan(0);
    expect(written.filter((key) => key !== "config" && !reported.includes(key))).toEqual([]);
  });
});

describe("options", () => {
  test("have their counterparts in the report, with line and column", () => {
    const { mapped } = fromLibcluster(
      "a: [\n  strategy: Cluster.Strategy.Gossip,\n  config: [port: 4000]]",
    );
    expect(mapped).toEqual([
      {
        topology: "a",
        key: "port",
        position: { line: 3, column: 12 },
        to: "discovery.sources[0].provider.options.port",
      },
      {
        topology: "a",
        key: "strategy",
        position: { line: 2, column: 3 },
        to: "discovery.sources[0].provider.kind",
      },
    ]);
  });

  test("are understood in both spellings, and either name of the interval", () => {
    const spellings = [
      { query: "a.b", node_basename: "app", polling_interval: 700 },
      { query: "a.b", node_basename: "app", poll_interval: 700 },
      { query: "a.b", nodeBasename: "app", pollingInterval: 700 },
      { query: "a.b", nodeBasename: "app", pollInterval: 700 },
    ];
    for (const config of spellings) {
      const migration = topology("DNSPoll", config);
      expect(optionsOf(migration)).toEqual({ query: "a.b", basename: "app", pollMs: 700 });
      expect(migration.warnings).toEqual([]);
      expect(migration.unsupported).toEqual([]);
    }
  });

  test("that are there in two spellings are warned of, and the first counts", () => {
    const config = { query: "a", node_basename: "x", nodeBasename: "y", poll_interval: 200 };
    const migration = topology("DNSPoll", { ...config, polling_interval: 300 });
    expect(optionsOf(migration)).toMatchObject({ basename: "x", pollMs: 300 });
    expect(keys(migration.warnings)).toEqual(["nodeBasename", "poll_interval"]);
  });

  test("that nobody knows are warned of, with the nearest", () => {
    const { warnings, ignored } = topology("DNSPoll", { query: "a", node_basenam: "x" });
    expect(texts(warnings)).toEqual([
      "unknown key 'node_basenam' in config of 'one'; did you mean 'node_basename'?",
    ]);
    expect(keys(ignored)).toContain("node_basenam");
  });

  test("of the topology that nobody knows are warned of, as of the documents of old", () => {
    const given = { strategy: "Cluster.Strategy.Epmd", strategy_opts: { hosts: ["a@10.0.0.1"] } };
    const { warnings, topologies } = fromLibcluster({ one: given });
    expect(topologies).toEqual([
      { name: "one", strategy: "Cluster.Strategy.Epmd", source: undefined },
    ]);
    expect(texts(warnings)).toContain(
      "unknown key 'strategy_opts' in topology 'one'; did you mean 'strategy'?",
    );
  });

  test("of the wrong kind are left out and told of", () => {
    const migration = topology("Gossip", { port: 0, secret: 5, broadcast_only: "yes" });
    expect(optionsOf(migration)).toEqual({ format: "libcluster" });
    expect(keys(migration.unsupported)).toEqual(["broadcast_only", "secret", "port"]);
    expect(texts(migration.unsupported)[2]).toBe(
      "it has to be a whole number from 1 to 65535, not 0",
    );
  });

  test("that the environment has are told of: a value has to be given", () => {
    const migration = fromLibcluster(
      `config :libcluster, topologies: [k8s: [strategy: Cluster.Strategy.Kubernetes.DNS, config: [
         service: System.get_env("SERVICE"), application_name: "app"]]]`,
    );
    expect(migration.config.discovery.sources).toEqual([]);
    expect(migration.unsupported).toMatchObject([
      { topology: "k8s", key: "service", position: { line: 2 } },
    ]);
    expect(texts(migration.unsupported)[0]).toContain('System.get_env("SERVICE")');
    // What has a counterpart alone is nothing that was made.
    expect(migration.mapped).toEqual([]);
    expect(keys(migration.ignored)).toContain("application_name");
  });

  test("that are required are told of where they miss", () => {
    const missing = {
      DNSPoll: ["query", "node_basename"],
      Kubernetes: ["kubernetes_node_basename", "kubernetes_selector"],
      "Kubernetes.DNS": ["service", "application_name"],
      "Kubernetes.DNSSRV": ["service", "namespace", "application_name"],
    };
    for (const [strategy, names] of Object.entries(missing)) {
      const { unsupported, config } = topology(strategy, {});
      expect(keys(unsupported)).toEqual(names);
      expect(config.discovery.sources).toEqual([]);
    }
  });
});

describe("Gossip", () => {
  test("takes addresses as text, as tuples and as lists", () => {
    const elixir = fromLibcluster(
      "a: [strategy: Cluster.Strategy.Gossip, config: [if_addr: {10, 0, 0, 1}]]",
    );
    expect(optionsOf(elixir)).toMatchObject({ interfaceAddress: "10.0.0.1" });
    const list = topology("Gossip", { if_addr: [10, 0, 0, 1], multicast_if: "10.0.0.2" });
    expect(optionsOf(list)).toMatchObject({
      interfaceAddress: "10.0.0.1",
      multicastInterface: "10.0.0.2",
    });
  });

  test("warns of IPv6, of a secret that is used twice, and of the group before 3.3.0", () => {
    const { warnings, unsupported } = topology("Gossip", { if_addr: "::1", secret: "s" });
    expect(keys(unsupported)).toEqual(["if_addr"]);
    const said = texts(warnings).join("\n");
    expect(said).toContain("IPv4 only");
    expect(said).toContain("230.1.1.251");
    expect(said).toContain("a 'secret' of its own");
    const set = topology("Gossip", { multicast_addr: "230.1.1.251" }).warnings;
    expect(texts(set).join("\n")).not.toContain("before it was");
  });

  test("shows no secret, whatever is wrong with it", () => {
    const values = ["env:SECRET", "file:secret", 4711, ["word"]];
    for (const secret of values) {
      const { unsupported, config } = topology("Gossip", { secret });
      expect(keys(unsupported)).toEqual(["secret"]);
      expect(texts(unsupported)[0]).toMatch(/not what is given$/);
      expect(JSON.stringify(config)).not.toContain("secret");
    }
    const text = 'a: [strategy: Gossip, config: [secret: System.get_env("S") || "hidden"]]';
    expect(JSON.stringify(fromLibcluster(text))).not.toContain("hidden");
    const broken = 'a: [strategy: Gossip, config: [secret: "one" "hidden"]]';
    expect(() => fromLibcluster(broken)).toThrow(/not a string$/);
  });

  test("looks for the others at the port that is told", () => {
    const given = { one: { strategy: "Gossip", config: {} } };
    expect(optionsOf(fromLibcluster(given, { nodePort: 7000 }))).toEqual({
      format: "libcluster",
      nodePort: 7000,
    });
  });
});

describe("Epmd", () => {
  test("of other machines is a list of addresses, looked for at one port", () => {
    const migration = topology("Epmd", { hosts: ["a@10.0.0.1", "a@10.0.0.2"] });
    expect(optionsOf(migration)).toEqual({ addresses: ["a@10.0.0.1", "a@10.0.0.2"] });
    expect(migration.unsupported).toEqual([]);
    expect(texts(migration.warnings).join("\n")).toContain("no EPMD here");
  });

  test("tells of two nodes of one machine, and of names in place of addresses", () => {
    const crowd = topology("Epmd", { hosts: ["a@10.0.0.1", "b@10.0.0.1"] });
    expect(optionsOf(crowd)).toEqual({ addresses: ["a@10.0.0.1"] });
    expect(texts(crowd.unsupported)[0]).toContain("b@10.0.0.1");
    const named = topology("Epmd", { hosts: ["a@one.example.com"] });
    expect(named.config.discovery.sources).toEqual([]);
    expect(texts(named.unsupported)[0]).toContain("a@one.example.com");
  });

  test("without hosts is nothing, as in libcluster", () => {
    expect(topology("Epmd", { hosts: [] }).config.discovery.sources).toEqual([]);
  });
});

describe("Kubernetes.DNS", () => {
  test.each([
    ["web", { kubernetes: { service: "web" } }],
    ["web.shop", { kubernetes: { service: "web", namespace: "shop" } }],
    ["web.shop.svc", { kubernetes: { service: "web", namespace: "shop" } }],
    ["web.shop.svc.cluster.local", { query: "web.shop.svc.cluster.local" }],
    ["web.example.com", { query: "web.example.com" }],
  ])("%s is asked for whole, for search domains are not looked at", (service, asked) => {
    const migration = topology("Kubernetes.DNS", { service, application_name: "app" });
    expect(optionsOf(migration)).toEqual({ ...asked, families: [4], basename: "app" });
  });
});

describe("Kubernetes", () => {
  const base = { kubernetes_node_basename: "app", kubernetes_selector: "app=x" };

  test("has every option", () => {
    const migration = topology("Kubernetes", {
      ...base,
      mode: ":hostname",
      kubernetes_namespace: "shop",
      kubernetes_service_name: "web",
      kubernetes_ip_lookup_mode: "pods",
      kubernetes_use_cached_resources: true,
      kubernetes_cluster_name: "own",
      kubernetes_master: "api.example",
      kubernetes_service_account_path: "/var/account",
      polling_interval: 1_000,
    });
    expect(migration.unsupported).toEqual([]);
    expect(optionsOf(migration)).toEqual({
      basename: "app",
      selector: "app=x",
      mode: "hostname",
      source: "pods",
      namespace: "shop",
      serviceName: "web",
      clusterDomain: "own.local",
      master: "api.example.own.local",
      serviceAccountPath: "/var/account",
      useCachedResources: true,
      watch: false,
      pollMs: 1_000,
    });
    expect(migration.mapped).toHaveLength(12);
  });

  test("puts the name of the API server together as libcluster does", () => {
    const masters = {
      api: "api.cluster.local",
      "api.x.": "api.x",
      "a.cluster.local": "a.cluster.local",
    };
    for (const [given, expected] of Object.entries(masters)) {
      const migration = topology("Kubernetes", { ...base, kubernetes_master: given });
      expect(optionsOf(migration)["master"]).toBe(expected);
    }
  });

  test("asks for the service that names of the mode hostname have", () => {
    const { unsupported, config } = topology("Kubernetes", { ...base, mode: "hostname" });
    expect(keys(unsupported)).toEqual(["kubernetes_service_name"]);
    expect(config.discovery.sources).toEqual([]);
  });
});

describe("what is done otherwise", () => {
  const polled: readonly (readonly [string, object])[] = [
    ["DNSPoll", { query: "a", node_basename: "b" }],
    ["Kubernetes", { kubernetes_node_basename: "a", kubernetes_selector: "b" }],
    ["Kubernetes.DNS", { service: "a", application_name: "b" }],
    ["Kubernetes.DNSSRV", { service: "a", application_name: "b", namespace: "c" }],
  ];

  test.each(polled)(
    "%s: errors disconnect nobody, and prune says how to have it",
    (name, config) => {
      const said = texts(topology(name, config).changedBehaviour).join("\n");
      expect(said).toContain("disconnects nobody");
      expect(said).toContain("prune 'immediate'");
      const given = { one: { strategy: name, config } };
      const asBefore = fromLibcluster(given, { prune: "immediate" });
      expect(asBefore.config.discovery.sources[0]?.prune).toBe("immediate");
      expect(texts(asBefore.changedBehaviour).join("\n")).not.toContain("prune 'immediate'");
    },
  );

  test("a source that is told not to prune does not", () => {
    const config = { query: "a", node_basename: "b", prune: false };
    expect(topology("DNSPoll", config).config.discovery.sources[0]?.prune).toBe("never");
  });
});

describe("hooks", () => {
  const connect = (): boolean => true;
  const listNodes = (): string[] => [];

  test("of JavaScript are taken over, in both spellings", () => {
    const more = { connect, list_nodes: listNodes };
    const migration = topology("LocalEpmd", {}, more);
    expect(migration.config.discovery.sources[0]).toMatchObject({ connect, listNodes });
    expect(migration.mapped).toContainEqual(
      expect.objectContaining({ key: "list_nodes", to: "discovery.sources[0].listNodes" }),
    );
  });

  test("of Erlang are told of, with what to write", () => {
    const migration = fromLibcluster(
      `a: [strategy: Cluster.Strategy.LocalEpmd, connect: {:partisan, :join, [:x]},
           child_spec: []]`,
    );
    expect(keys(migration.unsupported)).toEqual(["connect"]);
    expect(texts(migration.unsupported)[0]).toContain('{"partisan", "join", ["x"]}');
    expect(texts(migration.unsupported)[0]).toContain("connect: (node) =>");
    expect(keys(migration.ignored)).toContain("child_spec");
  });

  test("that ask for what a node does by itself are not needed", () => {
    const more = { connect: [":net_kernel", ":connect_node", []] };
    const migration = topology("LocalEpmd", {}, more);
    expect(migration.unsupported).toEqual([]);
    expect(keys(migration.ignored)).toEqual(["connect"]);
  });
});

describe("strategies of others", () => {
  test("are told of, with what does their work here", () => {
    const { unsupported } = fromLibcluster({
      a: { strategy: "ClusterEC2.Strategy.Tags", config: { ec2_tagname: "x" } },
      b: { strategy: "Cluster.Strategy.Consul" },
      c: { strategy: "Cluster.Strategy.Kubernets" },
      d: { config: {} },
    });
    expect(texts(unsupported)[0]).toContain("instances");
    expect(texts(unsupported)[1]).toContain("provider consul");
    expect(texts(unsupported)[2]).toContain("did you mean 'Cluster.Strategy.Kubernetes'?");
    expect(unsupported[3]).toMatchObject({
      topology: "d",
      key: "strategy",
      text: "it is required",
    });
  });

  test("may be providers of JavaScript", () => {
    const provider = { kind: "own", label: "own", async *candidates() {} };
    const { config } = fromLibcluster({ a: { strategy: provider } });
    expect(config.discovery.sources).toEqual([{ provider }]);
  });
});

describe("what is given", () => {
  test.each([
    ["JSON", '{"a": {"strategy": "Cluster.Strategy.LocalEpmd"}}'],
    ["JSON under its keys", '{"libcluster": {"topologies": {"a": {"strategy": "LocalEpmd"}}}}'],
    ["pairs of tuples", "[{:a, [{:strategy, Cluster.Strategy.LocalEpmd}]}]"],
    ["maps", "%{a: %{strategy: Cluster.Strategy.LocalEpmd}}"],
    [
      "a setting of its own",
      "config :libcluster, :topologies, [a: [strategy: Cluster.Strategy.LocalEpmd]]",
    ],
    ["parentheses", "config(:libcluster, topologies: [a: [strategy: Cluster.Strategy.LocalEpmd]])"],
    [
      "a variable",
      `topologies = [a: [strategy: Cluster.Strategy.LocalEpmd]]
       config :libcluster, topologies: topologies`,
    ],
  ])("may be %s", (_what, text) => {
    expect(fromLibcluster(text).config.discovery.sources).toEqual([
      { provider: { kind: "local", options: {} }, prune: "never" },
    ]);
  });

  test("has several topologies, which are several sources", () => {
    const strategy = "LocalEpmd";
    const { topologies, config } = fromLibcluster({ a: { strategy }, b: {}, c: { strategy } });
    expect(config.discovery.sources).toHaveLength(2);
    expect(topologies.map(({ name, source }) => [name, source])).toEqual([
      ["a", 0],
      ["b", undefined],
      ["c", 1],
    ]);
  });

  test("has at most sixteen sources", () => {
    const many = Array.from({ length: 17 }, (_, at) => [`t${at}`, { strategy: "LocalEpmd" }]);
    const { config, unsupported } = fromLibcluster(Object.fromEntries(many));
    expect(config.discovery.sources).toHaveLength(16);
    expect(unsupported).toMatchObject([{ topology: "t16" }]);
  });

  test("tells of other settings, of keys that are there twice, and of topologies that are", () => {
    const migration = fromLibcluster(`
      config :libcluster, debug: true, topologies: [a: [strategy: Cluster.Strategy.Gossip,
        config: [port: 1, port: 2]]]
      config :libcluster, topologies: [a: [strategy: Cluster.Strategy.LocalEpmd]]`);
    expect(migration.ignored).toMatchObject([{ key: "debug", position: { line: 2, column: 27 } }]);
    expect(texts(migration.warnings)).toEqual(
      expect.arrayContaining([
        "'port' is there twice",
        "it is configured more than once; the last one counts",
      ]),
    );
    expect(migration.config.discovery.sources).toMatchObject([{ provider: { kind: "local" } }]);
  });

  test.each([
    ["no topologies", "x = 1"],
    ["broken JSON", '{"a": '],
    ["a list", "[1, 2]"],
    ["a variable that nobody set", "config :libcluster, topologies: topologies"],
    ["a call", "topologies = Application.get_env(:a, :b)"],
  ])("is refused where it is %s", (_what, text) => {
    expect(() => fromLibcluster(text)).toThrow(FoundationError);
  });

  test("is refused where it is no object, and so are unknown options", () => {
    expect(() => fromLibcluster([])).toThrow(/an object of topologies/);
    expect(() => fromLibcluster({}, { nodePor: 1 } as never)).toThrow(/did you mean 'nodePort'/);
    expect(() => fromLibcluster({}, { nodePort: 0 })).toThrow(/nodePort/);
  });
});
