import { fileURLToPath, pathToFileURL } from "node:url";

/** A file URL as a path with "/" between its parts. The file functions of every system take that. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url).replaceAll("\\", "/");
}

/** The inverse of {@link fromFileUrl}; a trailing "/" stays. */
export function toFileUrl(path: string): URL {
  return pathToFileURL(path);
}
