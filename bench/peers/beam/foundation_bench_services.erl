%% Names of the BEAM: a table in memory that another process looks into.
-module(foundation_bench_services).
-export([main/1]).
-import(foundation_bench_clock, [rate/2]).

-define(NAMES, 1000).
-define(TURNS, 10).

main([Question, Deadline, Warm, Measure]) ->
    timer:apply_after(list_to_integer(Deadline), erlang, halt, [1]),
    Clock = {list_to_integer(Warm) * 1000, list_to_integer(Measure) * 1000},
    io:format("@bench {\"event\":\"result\",\"figure\":~f}~n", [figure(Question, Clock)]),
    receive after infinity -> ok end.

figure("ets", Clock) ->
    Names = [<<"service ", (integer_to_binary(Each))/binary>> || Each <- lists:seq(1, ?NAMES)],
    Table = ets:new(names, [set, protected, {read_concurrency, true}]),
    [ets:insert(Table, {{production, Name}, spawn(fun() -> receive after infinity -> ok end end)})
     || Name <- Names],
    Me = self(),
    spawn_link(fun() ->
        Me ! {rate, rate(fun() -> turns(Table, Names, ?TURNS), ?TURNS * ?NAMES end, Clock)}
    end),
    receive {rate, Rate} -> Rate end.

turns(_, _, 0) -> ok;
turns(Table, Names, Left) ->
    look_up(Table, Names),
    turns(Table, Names, Left - 1).

look_up(_, []) -> ok;
look_up(Table, [Name | Names]) ->
    [{_, Pid}] = ets:lookup(Table, {production, Name}),
    true = is_pid(Pid),
    look_up(Table, Names).
