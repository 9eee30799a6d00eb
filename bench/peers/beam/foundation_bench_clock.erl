%% The clock of the questions that are asked again and again: a warm-up, then the time that counts.
-module(foundation_bench_clock).
-export([rate/2]).

%% How much of it is done a second: `Work` does some and answers how much. Times in microseconds.
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
