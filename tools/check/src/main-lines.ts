// `node tools/check/src/main-lines.ts`: how many lines of code the main file of each app has, which is wiring only.
import { mainFiles, MOST_MAIN_LINES } from './main-files.ts';

const files = mainFiles();
for (const { file, lines } of files) console.log(`${String(lines).padStart(3)}  ${file}`);
const long = files.filter(({ lines }) => lines > MOST_MAIN_LINES);
if (long.length > 0) {
  console.error(`More than ${MOST_MAIN_LINES} lines that are neither blank nor comment: move what is not wiring to handlers, logic or storage.`);
  process.exitCode = 1;
}
