/** Code and number of what a call throws; undefined where it does not. */
export function codeOf(run: () => unknown): [string, number] | undefined {
  try {
    run();
  } catch (thrown) {
    const { code, numericCode } = thrown as { code: string; numericCode: number };
    return [code, numericCode];
  }
  return undefined;
}
