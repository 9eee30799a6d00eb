/** No protection at all: what is left when every layer costs nothing. */

import { answer, work } from "./ask.mjs";

await answer(async () => work);
