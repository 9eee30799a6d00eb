import type { TextPosition } from "./text-position.ts";

/** A tuple of Elixir, like `{:net_kernel, :connect_node, []}`. */
export class ElixirTuple {
  readonly items: readonly ElixirValue[];
  /** Written with an atom first, as pairs of a keyword list are. */
  readonly hasAtomFirst: boolean;

  constructor(items: readonly ElixirValue[], hasAtomFirst = false) {
    this.items = items;
    this.hasAtomFirst = hasAtomFirst;
  }
}

/** Something that only a running Elixir knows the value of, like `System.get_env("HOST")`. */
export class ElixirCode {
  /** As it is written. */
  readonly text: string;
  /** Where it begins. */
  readonly position: TextPosition;

  constructor(text: string, position: TextPosition) {
    this.text = text;
    this.position = position;
  }
}

/**
 * A literal term. Atoms, modules, strings and charlists are strings, `nil` is null, keyword lists
 * and maps are objects.
 */
export type ElixirValue =
  | string
  | number
  | boolean
  | null
  | ElixirTuple
  | ElixirCode
  | readonly ElixirValue[]
  | { readonly [key: string]: ElixirValue };

/** A key that is written twice in one keyword list or map. */
export interface RepeatedKey {
  readonly key: string;
  readonly position: TextPosition;
}

/** Terms that were read, and where their keys are written. */
export interface ElixirTerms {
  readonly value: ElixirValue;
  readonly repeated: readonly RepeatedKey[];
  /** Where the key of an object is written; undefined for objects that were not read here. */
  at(container: object, key: string): TextPosition | undefined;
}
