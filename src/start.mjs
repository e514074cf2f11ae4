// What `npm start` runs first. It must be readable by any Node: main.ts is TypeScript, which Node runs from 24 on.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'HiveSync needs Node 24 or newer, and this is ' + process.versions.node + '.\n'
    + (process.platform === 'linux'
      ? 'On Linux it comes with the packages: run `npm ci` and then `npm start` (npm puts it first), not `node` by itself.\n'
        + 'If it did so, the optional packages were left out: install them, or install Node 24.'
      : 'Install Node 24 (https://nodejs.org), then run `npm ci` and `npm start` again.'),
  );
  process.exitCode = 1;
} else {
  await import('./main.ts');
}
