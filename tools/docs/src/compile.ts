// Says what is wrong with the types in the blocks that stand in a folder. The libs that they import are checked on their own,
// so that only the blocks are looked at here: tsc, which looks at everything, takes twice as long.
import ts from 'typescript';

const folder = process.argv[2] ?? '.';
const { config } = ts.readConfigFile(`${folder}/tsconfig.json`, ts.sys.readFile) as { config: unknown };
const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
const program = ts.createProgram(fileNames, options);
const found = fileNames.flatMap((name) => {
  const file = program.getSourceFile(name);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
});
process.stdout.write(ts.formatDiagnostics([...errors, ...program.getOptionsDiagnostics(), ...found], { ...ts.sys, getCurrentDirectory: () => folder, getCanonicalFileName: (name) => name, getNewLine: () => '\n' }));
process.exitCode = errors.length + found.length > 0 ? 1 : 0;
