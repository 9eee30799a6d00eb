/** The heavy process: exceeds a limit as fast as it can. */

import { GenServer } from "foundation-runtime";

/** Told a size, it keeps buffers of that size without end; of none, it loops. */
export class Hoarder extends GenServer {
  handleCast({ bytes, isWritten }) {
    const kept = [];
    for (;;) {
      if (bytes > 0) kept.push(isWritten ? Buffer.alloc(bytes, 1) : new ArrayBuffer(bytes));
    }
  }
}
