import type { Finding, Rule, SourceFile } from "../repository.ts";

interface Word {
  readonly pattern: RegExp;
  readonly reason: string;
}

// Each pattern is written so that it does not match its own source line.
const WORDS: readonly Word[] = [
  {
    pattern: /(?:^|[\s"'`(=:])\/(?:work|root|home\/\w+|Users\/\w+)\/\w/,
    reason: "names a folder of one machine",
  },
  { pattern: /\.\.\/share[d]\/\w/, reason: "names a folder that is no part of the repository" },
  { pattern: /\/tmp\/(?:brie[f]|targe[t]-)/, reason: "names a folder of one machine" },
  {
    // Protocols and users have them; whoever wrote the text does not belong in it.
    pattern: new RegExp(
      String.raw`(?<!\b(?:TLS|QUIC|HTTP|SSH|user|login|client|browser|debug) )` +
        String.raw`\bse[s]sions?\b(?! (?:id|key|ticket|token|resumption)\b)`,
      "i",
    ),
    reason: "speaks of a stretch of work; say what the code does",
  },
  {
    pattern: /\b(?:Claud[e]|Anthropi[c]|ChatGP[T]|OpenA[I]|Copilo[t]|LL[M]|language mode[l])\b/,
    reason: "speaks of the tools it was written with",
  },
  { pattern: /\bsub-?agen[t]s?\b|\bhelpe[r] [A-F]\b/i, reason: "speaks of who did the work" },
  { pattern: /\bissue[ ]#?\d+\b/i, reason: "cites an issue by number; name the behaviour instead" },
  {
    pattern:
      /\bregistr[y]\.[a-z0-9-]+\.[a-z]|\bartifactor[y]\b|\bnexu[s]\.[a-z]|replace-wit[h]\s*=/i,
    reason: "names the host of a package registry",
  },
];

const CRATES_INDEX = "registry+https://github.com/rust-lang/crates.io-index";

/** Words that belong to the place or the process of writing: the project speaks of itself alone. */
export const workplaceWords: Rule = (files) =>
  files.flatMap((file) =>
    file.text.split("\n").flatMap((line, index): Finding[] => {
      const reason = problemOf(file, line);
      return reason === undefined ? [] : [{ path: file.path, line: index + 1, reason }];
    }),
  );

function problemOf({ path }: SourceFile, line: string): string | undefined {
  if (path.endsWith("Cargo.lock")) {
    const source = /^source = "(.*)"$/.exec(line)?.[1];
    return source === undefined || source === CRATES_INDEX
      ? undefined
      : "takes a crate from elsewhere than crates.io";
  }
  if (path.endsWith("package-lock.json")) {
    return /^\s*"resolved": "https?:/.test(line)
      ? "records where one machine fetched the package; see omit-lockfile-registry-resolved"
      : undefined;
  }
  return WORDS.find(({ pattern }) => pattern.test(line))?.reason;
}
