/**
 * What starts an app in a browser. A phone's native side calls `AppRegistry.runApplication` once the bundle has run; in a
 * page nobody does, so a small module around the project's entry does it. It leaves alone an app that starts itself.
 */
import { hasExpo } from './expo.ts';

/**
 * Of Expo's packages some start an app by a registry of their own, and some make a source's URL out of an asset's parts,
 * which leads nowhere where the asset is a data URL: there an asset is its URL, as Expo's own tools have it.
 */
const forExpo = `
const ExpoRegistry = require('expo/src/launch/AppRegistry').default;
const runExpo = ExpoRegistry.runApplication;
ExpoRegistry.runApplication = (...given) => {
  isRunning = true;
  return runExpo.apply(ExpoRegistry, given);
};
require('react-native/asset-registry').registerAsset = ({ httpServerLocation: uri, width, height }) =>
  width == null ? uri : { uri, width, height, toString: () => uri };
`;

const sourceOf = (entryFile: string): string => `
const { AppRegistry } = require('react-native');
const tell = (text) => {
  const note = document.createElement('pre');
  note.style.cssText = 'margin:16px;white-space:pre-wrap;font:14px monospace';
  note.textContent = text;
  document.body.replaceChildren(note);
};
let isRunning = false;
let rootTag = document.getElementById('root');
if (rootTag === null) {
  rootTag = document.createElement('div');
  rootTag.id = 'root';
  rootTag.style.cssText = 'display:flex;height:100%';
  document.body.append(rootTag);
}
const run = AppRegistry.runApplication;
AppRegistry.runApplication = (...given) => {
  isRunning = true;
  return run.apply(AppRegistry, given);
};
${hasExpo ? forExpo : ''}
try {
  require(${JSON.stringify(`./${entryFile}`)});
  const [name] = AppRegistry.getAppKeys();
  if (!isRunning && name === undefined) tell('The app registers no component (AppRegistry.registerComponent).');
  else if (!isRunning) AppRegistry.runApplication(name, { rootTag, initialProps: {} });
} catch (error) {
  tell(String(error instanceof Error ? (error.stack ?? error.message) : error));
  throw error;
}
`;

/** Adds the starting module to a project's sources under a name that is free, and answers that name. */
export const webEntry = (sources: Map<string, Buffer>, entryFile: string): string => {
  let name = 'hivesync-web.js';
  for (let count = 1; sources.has(name); count += 1) name = `hivesync-web-${count}.js`;
  sources.set(name, Buffer.from(sourceOf(entryFile)));
  return name;
};
