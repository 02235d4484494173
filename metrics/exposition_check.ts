/**
 * Reads the Prometheus text format as strictly as it is written down (exposition formats, version 0.0.4), for tests.
 *
 * @module
 */

/** Values by series, named as they stand: `qumo_sessions{transport="quic",version="moq-lite-06"}`. */
export type Series = ReadonlyMap<string, number>;

const HELP = /^# HELP ([a-z_:][a-z0-9_:]*) (\S.*)$/;
const TYPE = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge)$/;
const SAMPLE = /^([a-z_:][a-z0-9_:]*)(\{[^{}]*\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;
const LABELS = /^\{[a-z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]\w*="(?:[^"\\\n]|\\["\\n])*")*\}$/;

/**
 * Reads an exposition.
 * @throws {SyntaxError} With the line: no HELP and TYPE before a sample, samples of a metric that do not stand together, a
 *   series or a metric twice, a line that is none of these, no line end at the end.
 */
export function readExposition(text: string): Series {
  if (!text.endsWith("\n")) throw new SyntaxError("the last line has no end");
  const series = new Map<string, number>();
  const seen = new Set<string>();
  let helped = "";
  let typed = "";
  for (const [i, line] of text.slice(0, -1).split("\n").entries()) {
    const fail = (why: string) => new SyntaxError(`line ${i + 1}: ${why}: ${line}`);
    if (line === "") continue;
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    const sample = SAMPLE.exec(line);
    if (help !== null) {
      helped = help[1]!;
      if (seen.has(helped)) throw fail("the metric was there before");
      seen.add(helped);
    } else if (type !== null) {
      if (type[1] !== helped) throw fail("its HELP does not stand above it");
      typed = helped;
    } else if (sample !== null) {
      const [, name, labels = "", value] = sample;
      if (name !== typed) throw fail("its HELP and TYPE do not stand above it");
      if (labels !== "" && !LABELS.test(labels)) throw fail("the labels are not well formed");
      if (series.has(name + labels)) throw fail("the series was there before");
      series.set(name + labels, Number(value!.replace("Inf", "Infinity")));
    } else throw fail("neither HELP, TYPE nor a sample");
  }
  return series;
}
