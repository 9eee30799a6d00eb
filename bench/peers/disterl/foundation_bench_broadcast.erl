%% One node of a cluster in which one says something to all, and all acknowledge it to whoever said
%% it. Erlang sends to each node by itself.
-module(foundation_bench_broadcast).
-export([node/1]).
-import(foundation_bench_line, [report/2, guard/2, told/0]).

node([LifeMs, Others]) ->
    guard(LifeMs, fun() ->
        register(news, spawn_link(fun hear/0)),
        foundation_bench_formation:form(Others),
        Told = told(),
        [Count, Window, MeasureMs] = [number(Told, Key) || Key <- ["count", "window", "measureMs"]],
        one_by_one(Count),
        Times = one_by_one(Count),
        report("{\"event\":\"times\",\"timesMs\":[~s]}", [lists:join(",", [text(T) || T <- Times])]),
        report("{\"event\":\"stream\",\"perSecond\":~s}", [text(stream(Window, MeasureMs))]),
        receive stop -> ok end
    end).

number(Text, Key) ->
    {match, [Digits]} = re:run(Text, "\"" ++ Key ++ "\":([0-9]+)", [{capture, [1], list}]),
    list_to_integer(Digits).

text(Number) -> io_lib:format("~.6f", [float(Number)]).

hear() ->
    receive {From, Number, _Body} -> From ! {heard, Number} end,
    hear().

body() -> binary:copy(<<"b">>, 64).

say(Number) ->
    Nodes = nodes(),
    Body = body(),
    [{news, Node} ! {self(), Number, Body} || Node <- Nodes],
    length(Nodes).

one_by_one(Count) -> [one(Number) || Number <- lists:seq(1, Count)].

one(Number) ->
    SaidAt = erlang:monotonic_time(nanosecond),
    heard(say(Number), Number),
    (erlang:monotonic_time(nanosecond) - SaidAt) / 1.0e6.

heard(0, _) -> ok;
heard(Left, Number) -> receive {heard, Number} -> heard(Left - 1, Number) end.

stream(Window, MeasureMs) ->
    StartedAt = erlang:monotonic_time(nanosecond),
    EndAt = StartedAt + MeasureMs * 1000000,
    Open = maps:from_list([{Number, say(Number)} || Number <- lists:seq(1, Window)]),
    Heard = stream(Open, Window + 1, EndAt, 0),
    Heard / ((erlang:monotonic_time(nanosecond) - StartedAt) / 1.0e9).

stream(Open, _, _, Heard) when map_size(Open) =:= 0 -> Heard;
stream(Open, Next, EndAt, Heard) ->
    receive {heard, Number} ->
        case maps:get(Number, Open) of
            1 ->
                Rest = maps:remove(Number, Open),
                case erlang:monotonic_time(nanosecond) < EndAt of
                    true -> stream(Rest#{Next => say(Next)}, Next + 1, EndAt, Heard + 1);
                    false -> stream(Rest, Next, EndAt, Heard + 1)
                end;
            Left -> stream(Open#{Number := Left - 1}, Next, EndAt, Heard + 1)
        end
    end.
