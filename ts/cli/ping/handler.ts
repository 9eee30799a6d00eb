/** Name under which `foundation node` answers `foundation ping`: it returns what it is sent. */
export const PING_HANDLER = "foundation:ping";
