%% What every Erlang end of the benches shares: the marked JSON lines that bench/processes.mjs reads,
%% a certain end, clocks and filler.
-module(foundation_bench_line).
-export([report/2, guard/2, told/0, filler/2, now_ms/0, now_us/0, percentiles/1]).

report(Format, Arguments) ->
    io:format("@bench " ++ Format ++ "~n", Arguments).

%% Runs an end as a process of its own. The node halts when it fails, or after its time of life:
%% nothing else would end it if the runner were killed.
guard(LifeMs, Body) ->
    timer:apply_after(list_to_integer(LifeMs), erlang, halt, [1]),
    spawn(fun() ->
        try Body() of
            _ -> ok
        catch
            Class:Reason ->
                Text = lists:flatten(io_lib:format("~p: ~0P", [Class, Reason, 12])),
                report("{\"event\":\"failed\",\"reason\":\"~s\"}", [[plain(Char) || Char <- Text]]),
                erlang:halt(1)
        end
    end).

plain(Char) when Char < 32; Char > 126; Char =:= $"; Char =:= $\\ -> $\s;
plain(Char) -> Char.

%% The next line that the runner tells, as it is. The node must not run with -noinput.
told() ->
    case io:get_line("") of
        Line when is_list(Line) -> Line;
        _ -> erlang:halt(1)
    end.

%% Filler that differs with its seed; long ones repeat a page.
filler(Length, Seed) when Length > 65536 ->
    Page = filler(65536, Seed),
    Tail = binary:part(Page, 0, Length rem 65536),
    <<(binary:copy(Page, Length div 65536))/binary, Tail/binary>>;
filler(Length, Seed) ->
    list_to_binary([(Index * 31 + Seed) band 255 || Index <- lists:seq(1, Length)]).

now_ms() -> erlang:monotonic_time(millisecond).
now_us() -> erlang:monotonic_time(microsecond).

%% Reports the percentiles of round trips in nanoseconds, as microseconds.
percentiles(RoundTripsNs) ->
    Sorted = list_to_tuple(lists:sort(RoundTripsNs)),
    Count = tuple_size(Sorted),
    At = fun(Share) -> element(max(1, ceil(Share * Count)), Sorted) / 1000 end,
    report("{\"event\":\"pings\",\"p50\":~.3f,\"p99\":~.3f,\"count\":~b}",
           [At(0.5), At(0.99), Count]).
