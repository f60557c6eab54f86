// How modules are found while TypeScript is loaded. Plain JavaScript in a file of its own, since Node 20 runs hooks in another thread.

/** Whether the packages of this repository are imported from their sources. */
let fromSource = false;

export function initialize(data) {
  ({ fromSource } = data);
}

export function resolve(specifier, context, next) {
  const conditions = fromSource ? [...context.conditions, '@millrace/source'] : context.conditions;
  const resolved = next(specifier, { ...context, conditions });
  return resolved instanceof Promise ? resolved.then(asModule) : asModule(resolved);
}

/**
 * TypeScript files are ES modules here, whatever the package.json beside them says or leaves out: as CommonJS they could not import this
 * package, which is one.
 */
function asModule(resolved) {
  const isScript = resolved.format === undefined || resolved.format === null || resolved.format.startsWith('commonjs');
  return isScript && /\.tsx?(\?|$)/.test(resolved.url) ? { ...resolved, format: 'module' } : resolved;
}
