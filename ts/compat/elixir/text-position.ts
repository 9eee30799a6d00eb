import { FoundationError } from "../../base/errors.ts";

/** A place in a text, both counted from 1. */
export interface TextPosition {
  readonly line: number;
  /** Unit: UTF-16 code units. */
  readonly column: number;
}

/** A text in which places are told by line and column. */
export class PlacedText {
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      this.#lineStarts.push(at + 1);
    }
  }

  /** Line and column of an offset. */
  position(offset: number): TextPosition {
    let [low, high] = [0, this.#lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] as number) + 1 };
  }

  /** What is thrown for a text that cannot be read at an offset. */
  problem(offset: number, reason: string): FoundationError {
    const { line, column } = this.position(offset);
    const text = `line ${line}, column ${column}: ${reason}`;
    return new FoundationError("invalid_options", text, { context: { line, column } });
  }
}
