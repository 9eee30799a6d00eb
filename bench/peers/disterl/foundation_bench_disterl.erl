%% The two ends of a stream over Distributed Erlang, with the same messages, marks and checks as
%% bench/cluster/stream.mjs. Each end prints the marked JSON lines that bench/processes.mjs reads.
%%
%% Up to 1 KiB the number is inside the binary. Above, it travels beside one of 64 prepared
%% binaries: building a large binary for each message would cost Erlang a copy that its transport
%% does not need.
-module(foundation_bench_disterl).
-export([receiver/1, sender/1]).
-import(foundation_bench_line, [report/2, guard/2, filler/2, now_ms/0, now_us/0]).

-define(MARK_NONE, 0).
-define(MARK_START, 1).
-define(MARK_LAST, 2).
-define(INSIDE_BYTES_MAX, 1024).
-define(PREPARED, 64).

%% Registers, tells the runner, counts until the last message.
receiver([LifeMs, Bytes]) ->
    guard(LifeMs, fun() ->
        process_flag(message_queue_data, off_heap),
        true = register(sink, self()),
        report("{\"event\":\"listening\",\"address\":\"~s\"}", [node()]),
        Sender = receive {hello, From} -> From end,
        Sender ! {welcome, self()},
        receive_first(list_to_integer(Bytes))
    end).

%% Connects, takes the receiver's pid (a pid is the cheapest address), sends until the time is over.
sender([LifeMs, Receiver, Bytes, WarmMs, MeasureMs]) ->
    guard(LifeMs, fun() ->
        Node = list_to_atom(Receiver),
        true = net_kernel:connect_node(Node),
        {sink, Node} ! {hello, self()},
        Sink = receive {welcome, Pid} -> Pid after 10000 -> exit(no_welcome) end,
        Length = list_to_integer(Bytes),
        Pace = {warm, now_ms() + list_to_integer(WarmMs), list_to_integer(MeasureMs)},
        case Length =< ?INSIDE_BYTES_MAX of
            true -> send_inside(Sink, 0, filler(Length - 9, 0), Pace, 64);
            false -> send_beside(Sink, 0, prepared(Length), Pace)
        end,
        receive stop -> ok end
    end).

send_inside(Sink, Sequence, Filler, Pace, 1) ->
    {Mark, Next} = next(Pace),
    Sink ! <<Sequence:32/little, Mark, Filler/binary, (bnot Sequence):32/little>>,
    Mark =:= ?MARK_LAST orelse send_inside(Sink, Sequence + 1, Filler, Next, 64);
send_inside(Sink, Sequence, Filler, Pace, Countdown) ->
    Sink ! <<Sequence:32/little, ?MARK_NONE, Filler/binary, (bnot Sequence):32/little>>,
    send_inside(Sink, Sequence + 1, Filler, Pace, Countdown - 1).

send_beside(Sink, Sequence, Prepared, Pace) ->
    {Mark, Next} = next(Pace),
    Sink ! {Sequence, Mark, element(Sequence rem ?PREPARED + 1, Prepared)},
    Mark =:= ?MARK_LAST orelse send_beside(Sink, Sequence + 1, Prepared, Next).

receive_first(Length) when Length =< ?INSIDE_BYTES_MAX ->
    receive_inside(0, Length - 9, none);
receive_first(Length) ->
    receive_beside(0, Length, none).

receive_inside(Sequence, Fill, Start) ->
    receive
        <<Sequence:32/little, ?MARK_NONE, _:Fill/binary, Inverted:32/little>>
          when Inverted =:= 16#ffffffff - Sequence ->
            receive_inside(Sequence + 1, Fill, Start);
        <<Sequence:32/little, Mark, _:Fill/binary, Inverted:32/little>>
          when Inverted =:= 16#ffffffff - Sequence ->
            case marked(Mark, Sequence, Start) of
                finished -> ok;
                NewStart -> receive_inside(Sequence + 1, Fill, NewStart)
            end;
        Other ->
            exit({unexpected, Sequence, Other})
    end.

receive_beside(Sequence, Length, Start) ->
    receive
        {Sequence, Mark, <<Prepared, _/binary>> = Bytes}
          when byte_size(Bytes) =:= Length, Prepared =:= Sequence rem ?PREPARED ->
            case Mark =/= ?MARK_NONE andalso marked(Mark, Sequence, Start) of
                false -> receive_beside(Sequence + 1, Length, Start);
                finished -> ok;
                NewStart -> receive_beside(Sequence + 1, Length, NewStart)
            end;
        _ ->
            exit({unexpected, Sequence})
    end.

marked(?MARK_START, Sequence, none) ->
    {Sequence, now_us()};
marked(?MARK_LAST, Sequence, {StartSequence, StartUs}) ->
    Seconds = (now_us() - StartUs) / 1.0e6,
    report("{\"event\":\"result\",\"messages\":~b,\"seconds\":~.6f,\"received\":~b}",
           [Sequence - StartSequence, Seconds, Sequence + 1]),
    finished.

next({warm, Until, MeasureMs} = Pace) ->
    Now = now_ms(),
    case Now < Until of
        true -> {?MARK_NONE, Pace};
        false -> {?MARK_START, {measure, Now + MeasureMs}}
    end;
next({measure, Until} = Pace) ->
    case now_ms() < Until of
        true -> {?MARK_NONE, Pace};
        false -> {?MARK_LAST, Pace}
    end.

prepared(Length) ->
    list_to_tuple([<<Index, (filler(Length - 1, Index))/binary>>
                   || Index <- lists:seq(0, ?PREPARED - 1)]).
