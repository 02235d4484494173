/** Hides tokens in a URL's query and the password before its host, wherever they stand in a text. */
export function masked(text: string): string {
  return text
    .replace(
      /([?&](?:jwt|token|access_token|auth|key|secret|password|passphrase)=)[^&#\s"']*/gi,
      "$1***",
    )
    .replace(/(:\/\/[^/\s:@"']*:)[^/\s@"']+@/g, "$1***@");
}
