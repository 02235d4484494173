/** Why a request was not answered as wished. The words are stable. */
export const ERROR_CODES = {
  bad_request: "The path, the query or the body is not as it should be.",
  token_needed: "Show the token as `Authorization: Bearer TOKEN`.",
  token_wrong: "Another token is set.",
  foreign_page:
    "A web page that is not listed in `admin.cors_origins`, or has no token, wants to change something.",
  not_local: "Without a token only this machine may change anything.",
  not_found: "Nothing is at this path.",
  no_such_session: "There is no session of this number; it may have ended.",
  no_such_plugin: "There is no instance of this name.",
  method_not_allowed: "The path has other methods: they are in the header `allow`.",
  body_too_large: "The body is larger than anything that is taken here.",
  misdirected: "Name this machine by its address, or as localhost.",
  not_reloaded: "The configuration cannot be used; that in use stays.",
  internal: "A fault of the server's; its log tells more.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
