// Plain JavaScript, for a Node that is too old to run the rest. On Linux and on Windows (x64) `npm ci` brings its own.
const NEEDED = 24;
if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error(
    `Talaria needs Node ${NEEDED} or newer, and this is ${process.version}: for ${process.platform} on ${process.arch} npm has no Node ${NEEDED} to bring along, so install it (https://nodejs.org) and run npm ci again.`,
  );
  process.exit(1);
}
