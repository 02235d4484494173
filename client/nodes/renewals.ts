/**
 * What a client needs that may have another session after its first one. Loaded by those clients alone.
 *
 * @module
 */
export { renewals } from "../../relay/feed/renewals.ts";
