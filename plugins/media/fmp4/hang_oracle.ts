/**
 * The reading side of `@moq/hang`, for the tests: what players do with our catalog and frames. It has
 * to be bundled before it runs (see `loadHangOracle`), since the package's modules import each other
 * without file extensions.
 */
export { PRIORITY, RootSchema, TRACK } from "@moq/hang/catalog";
export { Consumer, Legacy } from "@moq/hang/container";
