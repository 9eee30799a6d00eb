%% One node of a cluster on a network with faults, with the commands of bench/cluster/faults/node.mjs:
%% connects to a seed, watches a node, talks to others without end, tells when they answer again.
-module(foundation_bench_faults).
-export([node/1]).
-import(foundation_bench_line, [report/2, guard/2, told/0]).

%% Between two messages to one peer. Unit: ms.
-define(PACE_MS, 10).

node([LifeMs, Others]) ->
    guard(LifeMs, fun() ->
        ok = net_kernel:monitor_nodes(true),
        true = register(bench_echo, spawn_link(fun echo/0)),
        report("{\"event\":\"listening\",\"address\":\"~s\"}", [node()]),
        Main = self(),
        spawn_link(fun() -> read(Main) end),
        Seed = receive {told, "seed", Name} -> list_to_atom(Name) end,
        Seed =:= node() orelse net_kernel:connect_node(Seed),
        complete(list_to_integer(Others), #{}),
        report("{\"event\":\"complete\"}", []),
        serve(#{watched => none, awaited => [], event => ""})
    end).

complete(Others, Up) when map_size(Up) =:= Others -> ok;
complete(Others, Up) ->
    receive
        {nodeup, Node} -> complete(Others, Up#{Node => true});
        {nodedown, Node} -> complete(Others, maps:remove(Node, Up))
    end.

%% What the runner tells: one name and one value in a line.
read(Main) ->
    Words = [{capture, all_but_first, list}],
    {match, [Command, Value]} = re:run(told(), "\"(\\w+)\":\"?([^\"}]*)", Words),
    Main ! {told, Command, Value},
    read(Main).

serve(#{watched := Watched, awaited := Awaited, event := Event} = State) ->
    receive
        {told, "watch", Name} ->
            report("{\"event\":\"watching\"}", []),
            serve(State#{watched := list_to_atom(Name)});
        {told, "talk", Names} ->
            Peers = peers(Names),
            Main = self(),
            [spawn_link(fun() -> talk(Main, Peer, 0) end) || Peer <- Peers],
            serve(State#{awaited := Peers, event := "talking"});
        {told, "back", Names} ->
            report("{\"event\":\"waiting\"}", []),
            serve(State#{awaited := peers(Names), event := "back"});
        {answered, Node} when Awaited =:= [Node] ->
            report("{\"event\":\"~s\"}", [Event]),
            serve(State#{awaited := []});
        {answered, Node} ->
            serve(State#{awaited := lists:delete(Node, Awaited)});
        {nodedown, Watched} ->
            report("{\"event\":\"down\"}", []),
            serve(State);
        {nodedown, _} -> serve(State);
        {nodeup, _} -> serve(State)
    end.

peers(Names) -> [list_to_atom(Name) || Name <- string:split(Names, ",", all)].

echo() ->
    receive {ping, From, Number} -> From ! {pong, Number} end,
    echo().

%% A message to a node without a connection makes one, as it does for any program.
talk(Main, Peer, Number) ->
    {bench_echo, Peer} ! {ping, self(), Number},
    receive {pong, _} -> Main ! {answered, Peer} after ?PACE_MS -> ok end,
    receive after ?PACE_MS -> ok end,
    talk(Main, Peer, Number + 1).
