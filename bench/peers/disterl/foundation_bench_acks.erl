%% So many senders, each with a process of its own at the other node, and each waits for an
%% acknowledgement after a message: bench/cluster/atc-grid over Distributed Erlang.
-module(foundation_bench_acks).
-export([receiver/1, sender/1]).
-import(foundation_bench_line, [report/2, guard/2, filler/2, now_us/0]).

receiver([LifeMs, Bytes, Senders]) ->
    guard(LifeMs, fun() ->
        Length = list_to_integer(Bytes),
        true = register(bench, self()),
        report("{\"event\":\"listening\",\"address\":\"~s\"}", [node()]),
        Sinks = [spawn_link(fun() -> sink(Length) end) || _ <- numbers(list_to_integer(Senders))],
        receive {hello, From} -> From ! {welcome, Sinks} end,
        receive stop -> ok end
    end).

%% The number travels beside a prepared binary, which spares Erlang a copy.
sink(Length) ->
    receive
        {message, From, Number, Binary} when byte_size(Binary) =:= Length -> From ! {ack, Number}
    end,
    sink(Length).

sender([LifeMs, Receiver, Bytes, Senders, Each]) ->
    guard(LifeMs, fun() ->
        Node = list_to_atom(Receiver),
        true = net_kernel:connect_node(Node),
        {bench, Node} ! {hello, self()},
        Sinks = receive {welcome, Pids} -> Pids after 10000 -> exit(no_welcome) end,
        Count = list_to_integer(Each),
        Binary = filler(list_to_integer(Bytes), 1),
        run(Sinks, Binary, 1),
        Started = now_us(),
        run(Sinks, Binary, Count),
        Seconds = (now_us() - Started) / 1.0e6,
        report("{\"event\":\"result\",\"messages\":~b,\"seconds\":~.6f}",
               [list_to_integer(Senders) * Count, Seconds]),
        receive stop -> ok end
    end).

run(Sinks, Binary, Count) ->
    Running = [spawn_monitor(fun() -> send_all(Sink, Binary, Count) end) || Sink <- Sinks],
    [receive {'DOWN', Monitor, process, Pid, normal} -> ok end || {Pid, Monitor} <- Running].

send_all(_Sink, _Binary, 0) -> ok;
send_all(Sink, Binary, Number) ->
    Sink ! {message, self(), Number, Binary},
    receive {ack, Number} -> send_all(Sink, Binary, Number - 1) end.

numbers(Count) -> lists:seq(1, Count).
