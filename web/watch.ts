/**
 * The player of the watch page: registers `<moq-watch>` and its controls. Bundled for browsers by
 * `deno bundle`, because the npm packages import each other without file extensions, which only a
 * bundler resolves.
 *
 * In a page:
 *
 *     <script type="module" src="watch.js"></script>
 *     <moq-watch url="http://127.0.0.1:4433/" name="demo" muted><canvas></canvas></moq-watch>
 */
import "@moq/watch/element";
import "@moq/watch/ui";
