import { ProtocolViolation } from "../../wire/errors.ts";
import type { SessionWord } from "../../wire/ietf/codes.ts";

/** A violation that moq-transport has a code of its own for. */
export class Fault extends ProtocolViolation {
  /** @param word What the session is closed with. */
  constructor(readonly word: SessionWord, where: string, detail: string) {
    super(where, detail);
  }
}
