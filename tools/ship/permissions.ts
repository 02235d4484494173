/**
 * The permissions of the shipped program. docs/deploy.md ("Permissions") says why each is needed and what does not work
 * without the others.
 */

/** They are the same for the compiled and the packed program. */
export const PERMISSIONS: readonly string[] = [
  "--allow-net", // peers and upstreams come from the configuration and from whoever connects
  "--allow-env", // every setting has a variable, and plugins' credentials have more
  "--allow-read", // the configuration, certificates, tokens, media and plugins lie anywhere
  "--allow-write", // so do recordings, and certificates that are made
  // Names of the certificate; addresses that WebRTC offers; the time of a reload, for systemd.
  "--allow-sys=hostname,networkInterfaces,osUptime",
];

/** Programs that the relay starts by itself. The packed program may start others only if it is told to. */
export const MAY_RUN: readonly string[] = ["ffmpeg", "ffprobe"];
