/** docs/configuration.md, written from the settings themselves: `npm run configuration-page`. */
import { flagsOfSettings } from '../../src/commands/command.ts';
import { flagLines } from '../../src/commands/help.ts';
import { SETTINGS, variableOf, type Setting } from '../../src/settings/settings.ts';

export function configurationPage(): string {
  return `# Configuration

Each setting is a flag of \`armature start\` and \`armature demo\`, a variable of the environment, and, where ElectricSQL has it, a variable
under their name. The flag weighs most, then \`ARMATURE_…\`, then the other names in the order in which they stand here; a variable
that is empty is not set. This page is written from the settings (\`npm run configuration-page\`), as is \`armature start --help\`.

- A **DURATION** is a whole number with \`ms\`, \`s\`, \`min\`, \`h\` or \`d\`: \`500ms\`, \`12h\`. Without a unit it is milliseconds.
- **BYTES** and **SECONDS** are whole numbers. What is on or off is \`true\` or \`false\`; a flag alone means \`true\`.
- A service needs a **database**, and either a **secret** or the word that it needs none (\`--insecure\`). The demo needs neither, as long
  as it listens on this machine only.
- A flag or an \`ARMATURE_…\` variable that no setting has keeps the service from starting, with the name that was probably meant. An
  \`ELECTRIC_…\` variable that means nothing here is named in the log, and changes nothing.
- All that is wrong is told at once, each in a sentence. A password or a secret is never part of one.

\`\`\`text
${flagLines(flagsOfSettings())}
\`\`\`

## Names of ElectricSQL

| their variable | our setting |
|---|---|
${electricRows().join('\n')}
`;
}

function electricRows(): readonly string[] {
  const settings = Object.values<Setting>(SETTINGS);
  return settings.flatMap((setting) => setting.electric.map((theirs) => `| \`${theirs}\` | \`${variableOf(setting)}\` |`)).sort();
}
