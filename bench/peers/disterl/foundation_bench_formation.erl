%% One node of a cluster that forms as libcluster forms one: every node connects to the same seed, and
%% the nodes' own full mesh does the rest. Reported is when this node has seen all others come up.
-module(foundation_bench_formation).
-export([node/1, form/1]).
-import(foundation_bench_line, [report/2, guard/2, told/0]).

node([LifeMs, Others]) ->
    guard(LifeMs, fun() ->
        form(Others),
        receive stop -> ok end
    end).

%% Says that it listens, joins whom it is told to, and says when it has seen all others.
form(Others) ->
    ok = net_kernel:monitor_nodes(true),
    report("{\"event\":\"listening\",\"address\":\"~s\"}", [node()]),
    {match, [Name]} = re:run(told(), "\"seed\":\"([^\"]+)\"", [{capture, [1], list}]),
    Seed = list_to_atom(Name),
    Seed =:= node() orelse net_kernel:connect_node(Seed),
    await(list_to_integer(Others), #{}),
    report("{\"event\":\"complete\"}", []).

await(Others, Up) when map_size(Up) =:= Others -> ok;
await(Others, Up) ->
    receive
        {nodeup, Node} -> await(Others, Up#{Node => true});
        {nodedown, Node} -> await(Others, maps:remove(Node, Up))
    end.
