/** One configuration that libcluster 3.5 documents, and what it is here. */
export interface DocumentedExample {
  readonly name: string;
  readonly text: string;
  readonly sources: readonly object[];
  /** Keys of what is unsupported. */
  readonly unsupported: readonly (string | undefined)[];
  /** The provider makes its own of the values without a change of ours. */
  readonly isComplete: boolean;
}

function example(
  name: string,
  text: string,
  sources: readonly object[],
  unsupported: readonly string[] = [],
): DocumentedExample {
  return { name, text, sources, unsupported, isComplete: unsupported.length === 0 };
}

/** The examples of the moduledocs and of the README, with the same keys and values. */
export const DOCUMENTED_EXAMPLES: readonly DocumentedExample[] = [
  example(
    "Gossip, multicast",
    `config :libcluster,
       topologies: [
         gossip_example: [
           strategy: Elixir.Cluster.Strategy.Gossip,
           config: [
             port: 45892,
             if_addr: "0.0.0.0",
             multicast_if: "192.168.1.1",
             multicast_addr: "233.252.1.32",
             multicast_ttl: 1,
             secret: "somepassword"]]]`,
    [
      {
        provider: {
          kind: "gossip",
          options: {
            format: "libcluster",
            port: 45_892,
            interfaceAddress: "0.0.0.0",
            multicastInterface: "192.168.1.1",
            multicastAddress: "233.252.1.32",
            multicastTtl: 1,
            secret: "somepassword",
          },
        },
        prune: "never",
      },
    ],
  ),
  example(
    "Gossip, broadcast",
    `config :libcluster,
       topologies: [
         gossip_example: [
           strategy: Cluster.Strategy.Gossip,
           config: [
             port: 45892,
             if_addr: "0.0.0.0",
             multicast_addr: "255.255.255.255",
             broadcast_only: true]]]`,
    [
      {
        provider: {
          kind: "gossip",
          options: {
            format: "libcluster",
            port: 45_892,
            interfaceAddress: "0.0.0.0",
            multicastAddress: "255.255.255.255",
            broadcastOnly: true,
          },
        },
        prune: "never",
      },
    ],
  ),
  example(
    "Epmd",
    `config :libcluster,
       topologies: [
         epmd_example: [
           strategy: Cluster.Strategy.Epmd,
           config: [
             timeout: 30_000,
             hosts: [:"a@127.0.0.1", :"b@127.0.0.1"]]]]`,
    [{ provider: { kind: "local", options: {} }, prune: "never" }],
  ),
  example(
    "LocalEpmd",
    `config :libcluster,
       topologies: [
         local_epmd_example: [
           strategy: Cluster.Strategy.LocalEpmd]]`,
    [{ provider: { kind: "local", options: {} }, prune: "never" }],
  ),
  example(
    "ErlangHosts",
    `config :libcluster,
       topologies: [
         erlang_hosts_example: [
           strategy: Cluster.Strategy.ErlangHosts,
           config: [timeout: 30_000]
         ]
       ]`,
    [{ provider: { kind: "hostsFile", options: {} }, prune: "never" }],
  ),
  example(
    "DNSPoll",
    `config :libcluster,
       topologies: [
         dns_poll_example: [
           strategy: Cluster.Strategy.DNSPoll,
           config: [
             polling_interval: 5_000,
             query: "my-app.example.com",
             node_basename: "my-app"]]]`,
    [
      {
        provider: {
          kind: "dns",
          options: { query: "my-app.example.com", basename: "my-app", pollMs: 5_000 },
        },
      },
    ],
  ),
  example(
    "Kubernetes, with the namespace that no Kubernetes allows",
    `config :libcluster,
       topologies: [
         erlang_nodes_in_k8s: [
           strategy: Cluster.Strategy.Kubernetes,
           config: [
             mode: :ip,
             kubernetes_node_basename: "myapp",
             kubernetes_selector: "app=myapp",
             kubernetes_namespace: "my_namespace",
             polling_interval: 10_000
           ]
         ]
       ]`,
    [
      {
        provider: {
          kind: "kubernetes",
          options: {
            basename: "myapp",
            selector: "app=myapp",
            mode: "ip",
            source: "endpoints",
            watch: false,
            pollMs: 10_000,
          },
        },
      },
    ],
    ["kubernetes_namespace"],
  ),
  example(
    "Kubernetes.DNS",
    `config :libcluster,
       topologies: [
         erlang_nodes_in_k8s: [
           strategy: Cluster.Strategy.Kubernetes.DNS,
           config: [
             service: "myapp-headless",
             application_name: "myapp",
             polling_interval: 10_000
           ]
         ]
       ]`,
    [
      {
        provider: {
          kind: "dns",
          options: {
            kubernetes: { service: "myapp-headless" },
            families: [4],
            basename: "myapp",
            pollMs: 10_000,
          },
        },
      },
    ],
  ),
  example(
    "Kubernetes.DNSSRV",
    `config :libcluster,
       topologies: [
         erlang_nodes_in_k8s: [
           strategy: Cluster.Strategy.Kubernetes.DNSSRV,
           config: [
             service: "myapp-headless",
             application_name: "myapp",
             namespace: "default",
             polling_interval: 10_000
           ]
         ]
       ]`,
    [
      {
        provider: {
          kind: "dns",
          options: {
            type: "srv",
            kubernetes: { service: "myapp-headless", namespace: "default" },
            basename: "myapp",
            pollMs: 10_000,
          },
        },
      },
    ],
  ),
  example(
    "Rancher",
    `config :libcluster,
       topologies: [
         rancher_example: [
           strategy: Cluster.Strategy.Rancher,
           config: [
             node_basename: "myapp",
             polling_interval: 10_000]]]`,
    [],
    ["strategy"],
  ),
  example(
    "a topology with all of its keys",
    `config :libcluster,
       topologies: [
         example: [
           # Required.
           strategy: Cluster.Strategy.Epmd,
           # Optional, as everything below.
           config: [hosts: [:"a@127.0.0.1", :"b@127.0.0.1"]],
           connect: {:net_kernel, :connect_node, []},
           disconnect: {:erlang, :disconnect_node, []},
           list_nodes: {:erlang, :nodes, [:connected]},
         ]
       ]`,
    [{ provider: { kind: "local", options: {} }, prune: "never" }],
  ),
  example(
    "a supervisor in an application",
    `defmodule MyApp.App do
       use Application

       def start(_type, _args) do
         topologies = [
           example: [
             strategy: Cluster.Strategy.Epmd,
             config: [hosts: [:"a@127.0.0.1", :"b@127.0.0.1"]],
           ]
         ]
         children = [
           {Cluster.Supervisor, [topologies, [name: MyApp.ClusterSupervisor]]},
           # ..other children..
         ]
         Supervisor.start_link(children, strategy: :one_for_one, name: MyApp.Supervisor)
       end
     end`,
    [{ provider: { kind: "local", options: {} }, prune: "never" }],
  ),
];
