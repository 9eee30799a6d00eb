%% Round trips over Distributed Erlang, alone or beside saturating bulk of the same connection. A ping
%% carries a number and goes to a process of its own at the other node, as bulk does.
-module(foundation_bench_ping).
-export([receiver/1, sender/1]).
-import(foundation_bench_line, [report/2, guard/2, filler/2, now_ms/0, now_us/0, percentiles/1]).

-define(PREPARED, 4).
%% A turn lasts until it has this many round trips, however busy the machine is.
-define(PINGS_MIN, 16).

%% BulkBytes "0": no bulk comes.
receiver([LifeMs, BulkBytes]) ->
    guard(LifeMs, fun() ->
        Length = list_to_integer(BulkBytes),
        Echo = spawn_link(fun echo/0),
        Sink = spawn_opt(fun() -> sink(0, Length, none) end,
                         [link, {message_queue_data, off_heap}]),
        true = register(bench, self()),
        report("{\"event\":\"listening\",\"address\":\"~s\"}", [node()]),
        receive {hello, From} -> From ! {welcome, Echo, Sink} end,
        receive stop -> ok end
    end).

echo() ->
    receive {ping, From, Number, Filler} -> From ! {pong, Number, Filler} end,
    echo().

sink(Sequence, Length, Start) ->
    receive
        {Sequence, Mark, <<Prepared, _/binary>> = Bytes}
          when byte_size(Bytes) =:= Length, Prepared =:= Sequence rem ?PREPARED ->
            case {Mark, Start} of
                {none, _} -> sink(Sequence + 1, Length, Start);
                {start, none} -> sink(Sequence + 1, Length, {Sequence, now_us()});
                {last, {StartSequence, StartUs}} ->
                    report("{\"event\":\"bulk\",\"messages\":~b,\"seconds\":~.6f}",
                           [Sequence - StartSequence, (now_us() - StartUs) / 1.0e6])
            end;
        Other ->
            exit({unexpected, Sequence, Other})
    end.

sender([LifeMs, Receiver, BulkBytes, IsPinging, WarmMs, MeasureMs]) ->
    guard(LifeMs, fun() ->
        Node = list_to_atom(Receiver),
        true = net_kernel:connect_node(Node),
        {bench, Node} ! {hello, self()},
        {Echo, Sink} = receive {welcome, E, S} -> {E, S} after 10000 -> exit(no_welcome) end,
        Length = list_to_integer(BulkBytes),
        WarmUntil = now_ms() + list_to_integer(WarmMs),
        Until = WarmUntil + list_to_integer(MeasureMs),
        Prepared = prepared(Length),
        Length > 0 andalso
            spawn_link(fun() -> send_bulk(Sink, 0, Prepared, {warm, WarmUntil, Until}) end),
        IsPinging =:= "true" andalso
            percentiles(ping(Echo, 0, WarmUntil, Until, [])),
        receive stop -> ok end
    end).

prepared(0) -> {};
prepared(Length) ->
    list_to_tuple([<<Index, (filler(Length - 1, Index))/binary>>
                   || Index <- lists:seq(0, ?PREPARED - 1)]).

send_bulk(Sink, Sequence, Prepared, Pace) ->
    {Mark, Next} = next(Pace, now_ms()),
    Sink ! {Sequence, Mark, element(Sequence rem ?PREPARED + 1, Prepared)},
    Mark =:= last orelse send_bulk(Sink, Sequence + 1, Prepared, Next).

next({warm, WarmUntil, Until}, Now) when Now >= WarmUntil -> {start, {measure, Until}};
next({measure, Until} = Pace, Now) when Now >= Until -> {last, Pace};
next(Pace, _Now) -> {none, Pace}.

ping(Echo, Number, WarmUntil, Until, RoundTrips) ->
    Started = now_ms(),
    Sent = erlang:monotonic_time(nanosecond),
    Echo ! {ping, self(), Number, <<"12 bytes, so">>},
    receive {pong, Number, <<"12 bytes, so">>} -> ok end,
    Took = erlang:monotonic_time(nanosecond) - Sent,
    Taken = case Started >= WarmUntil of true -> [Took | RoundTrips]; false -> RoundTrips end,
    case now_ms() >= Until andalso length(Taken) >= ?PINGS_MIN of
        true -> Taken;
        false -> ping(Echo, Number + 1, WarmUntil, Until, Taken)
    end.
