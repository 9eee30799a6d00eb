import { thrownText } from "../../../base/thrown-text.ts";
import type { Metadata, TelemetryName } from "../../sinks.ts";
import type {
  OpenTelemetryApi,
  OtelAttributes,
  OtelSpan,
  OtelTracer,
} from "./open-telemetry-options.ts";

/** Further metadata are for logs. */
const ATTRIBUTES_MAX = 32;
/** Longer texts are cut. */
const TEXT_LENGTH_MAX = 1_024;
const LIST_LENGTH_MAX = 64;

type Attribute = OtelAttributes[string];

/** Makes a span of each function that is measured, and its parent of those within. */
export class Spans {
  readonly #tracer: OtelTracer;
  readonly #error: number;

  constructor({ SpanStatusCode }: OpenTelemetryApi, tracer: OtelTracer) {
    this.#tracer = tracer;
    this.#error = SpanStatusCode.ERROR;
  }

  /** Runs a function in a span that ends with it, or with the promise that it returns. */
  run<T>(name: TelemetryName, metadata: Metadata, run: () => T | Promise<T>): T | Promise<T> {
    const options = { attributes: attributesOf(metadata) };
    return this.#tracer.startActiveSpan(name.join("."), options, (span) => {
      try {
        const result = run();
        // No other thenable: some do their work when they are awaited.
        if (result instanceof Promise) return this.#ending(span, result);
        span.end();
        return result;
      } catch (thrown) {
        this.#fail(span, thrown);
        throw thrown;
      }
    }) as T | Promise<T>;
  }

  async #ending<T>(span: OtelSpan, result: Promise<T>): Promise<T> {
    try {
      const value = await result;
      span.end();
      return value;
    } catch (thrown) {
      this.#fail(span, thrown);
      throw thrown;
    }
  }

  #fail(span: OtelSpan, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(thrownText(thrown));
    span.recordException(error);
    span.setStatus({ code: this.#error, message: error.message });
    span.end();
  }
}

/** The metadata that an attribute can be made of: texts, numbers, truths and lists of one kind. */
export function attributesOf(metadata: Metadata): OtelAttributes {
  const attributes: Record<string, Attribute> = {};
  for (const [key, value] of Object.entries(metadata).slice(0, ATTRIBUTES_MAX)) {
    const attribute = attributeOf(value);
    if (attribute !== undefined) attributes[key] = attribute;
  }
  return attributes;
}

function attributeOf(value: unknown): Attribute | undefined {
  if (Array.isArray(value)) return listOf(value.slice(0, LIST_LENGTH_MAX));
  switch (typeof value) {
    case "string":
      return value.slice(0, TEXT_LENGTH_MAX);
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return String(value);
    default:
      return undefined;
  }
}

function listOf(values: readonly unknown[]): Attribute | undefined {
  const [kind] = values.map((value) => typeof value);
  const isOfOneKind = values.every((value) => typeof value === kind);
  if (!isOfOneKind || !/^(?:string|number|boolean)$/.test(kind ?? "")) return undefined;
  return values.map((value) => attributeOf(value)) as string[];
}
