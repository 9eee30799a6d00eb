%% Processes of the BEAM: the same questions as bench/micro/processes/ask.mjs asks on Node.
-module(foundation_bench_processes).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

-define(BATCH, 20000).
-define(BURST, 10000).

main([Question, Deadline, Warm, Measure]) ->
    logger:set_primary_config(level, none),
    timer:apply_after(list_to_integer(Deadline), erlang, halt, [1]),
    Clock = {list_to_integer(Warm) * 1000, list_to_integer(Measure) * 1000},
    Figure = figure(Question, Clock),
    io:format("@bench {\"event\":\"result\",\"figure\":~f}~n", [float(Figure)]),
    receive after infinity -> ok end.

figure("spawn", {Warm, Measure}) ->
    spawn_rate(Warm),
    spawn_rate(Measure);
figure("send", Clock) ->
    Me = self(),
    Receiver = spawn(fun() -> count(Me, 0) end),
    rate(fun() -> burst(Receiver, ?BURST), ?BURST end, Clock);
figure("call", Clock) ->
    {ok, Pid} = gen_server:start(?MODULE, none, []),
    rate(fun() -> calls(Pid, 1000), 1000 end, Clock);
figure("a million", _) ->
    {Time, Pids} = timer:tc(fun() -> million(1000000) end),
    true = lists:all(fun is_process_alive/1, Pids),
    Time / 1000000.

spawn_rate(Until) -> spawn_rate(Until, 0, 0).

spawn_rate(Until, Done, Passed) when Passed >= Until -> Done * 1000000 / Passed;
spawn_rate(Until, Done, Passed) ->
    {Time, Pids} = timer:tc(fun() -> [spawn(fun idle/0) || _ <- lists:seq(1, ?BATCH)] end),
    [exit(Pid, kill) || Pid <- Pids],
    [wait(Pid) || Pid <- Pids],
    spawn_rate(Until, Done + ?BATCH, Passed + Time).

wait(Pid) ->
    Ref = monitor(process, Pid),
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

idle() -> receive never -> ok end.

rate(Work, {Warm, Measure}) ->
    rate_for(Work, Warm),
    rate_for(Work, Measure).

rate_for(Work, Until) -> rate_for(Work, Until, 0, erlang:monotonic_time(microsecond)).

rate_for(Work, Until, Done, Start) ->
    More = Work(),
    Passed = erlang:monotonic_time(microsecond) - Start,
    case Passed >= Until of
        true -> (Done + More) * 1000000 / Passed;
        false -> rate_for(Work, Until, Done + More, Start)
    end.

%% The receiver counts, checks the order, and answers the last one of a burst.
count(Sender, Next) ->
    receive
        {last, Next} -> Sender ! done, count(Sender, Next + 1);
        Next -> count(Sender, Next + 1)
    end.

burst(Receiver, Messages) ->
    First = case get(sent) of undefined -> 0; Sent -> Sent end,
    burst(Receiver, First, First + Messages - 1),
    put(sent, First + Messages),
    receive done -> ok end.

burst(Receiver, Last, Last) -> Receiver ! {last, Last};
burst(Receiver, Number, Last) -> Receiver ! Number, burst(Receiver, Number + 1, Last).

million(Count) ->
    Me = self(),
    Pids = [spawn(fun() -> answer(Me) end) || _ <- lists:seq(1, Count)],
    [Pid ! once || Pid <- Pids],
    [receive answered -> ok end || _ <- Pids],
    Pids.

answer(Asker) ->
    receive once -> Asker ! answered, answer(Asker) end.

calls(_, 0) -> ok;
calls(Pid, Left) ->
    Answer = Left + 1,
    Answer = gen_server:call(Pid, Left),
    calls(Pid, Left - 1).

init(none) ->
    {ok, none}.

handle_call(Value, _From, State) -> {reply, Value + 1, State}.

handle_cast(_Message, State) -> {noreply, State}.
