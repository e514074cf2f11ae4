/**
 * The arrows of docs/architecture.md. What is not said here may be imported; test/unit/architecture/arrows.test.ts
 * breaks each arrow on purpose and sees it refused.
 */

/** Parts of src/ that a part may import, beside itself; type-only imports are judged like any other. */
const arrow = (part, allowed, comment) => ({
  name: `${part}-imports`,
  comment,
  severity: 'error',
  from: { path: `^src/${part}/` },
  to: { path: '^src/', pathNot: [part, ...allowed].map((each) => `^src/${each}/`) },
});

/** Parts of generated/ that a part may import. */
const generatedArrow = (part, allowed, comment) => ({
  name: `${part}-imports-generated`,
  comment,
  severity: 'error',
  from: { path: `^src/${part}/` },
  to: { path: '^generated/', ...(allowed.length === 0 ? {} : { pathNot: allowed.map((each) => `^generated/${each}`) }) },
});

module.exports = {
  forbidden: [
    arrow('config', [], 'Configuration knows nobody.'),
    arrow('platform', ['config'], 'The platform stands below everything but configuration.'),
    arrow('jobs', ['platform', 'config'], 'Jobs travel; what they do is a domain\'s or a worker\'s.'),
    arrow('domains', ['jobs', 'platform', 'config'], 'Domains know no HTTP, no worker and no SDK.'),
    arrow('http', ['platform', 'config'], 'The pipeline has no domain knowledge: app.ts hands it what it needs.'),
    arrow('workers', ['sdk', 'platform', 'config'], 'A worker knows the backend only by its operations.'),
    arrow('sdk', [], 'The SDK is published: it brings nothing of the backend along.'),

    generatedArrow('config', [], 'Configuration knows nobody.'),
    generatedArrow('platform', ['server/errors\\.gen\\.ts$'], 'Of what is generated the platform knows the error codes.'),
    generatedArrow('workers', ['sdk/'], 'A worker knows the backend as a client does.'),
    generatedArrow('sdk', ['sdk/'], 'The SDK is published: it brings nothing of the server along.'),
    generatedArrow('jobs', ['server/', 'sdk/types\\.gen\\.ts$'], 'Wire types and error codes, no client and no validator.'),
    generatedArrow('domains', ['server/', 'sdk/types\\.gen\\.ts$'], 'Wire types, Handlers and error codes; the pipeline validates and serialises.'),

    {
      name: 'domain-to-domain',
      comment: 'A domain calls another by its services (service.ts, <subject>-service.ts), never by its models and queries. audit.ts and accounts.ts are there to be shared.',
      severity: 'error',
      from: { path: '^src/domains/([^/]+)/' },
      to: {
        path: '^src/domains/[^/]+/',
        pathNot: ['^src/domains/$1/', '^src/domains/[^/]+/[^/]*service\\.ts$', '^src/domains/audit/audit\\.ts$', '^src/domains/users/accounts\\.ts$'],
      },
    },
    {
      name: 'policy-stands-alone',
      comment: 'The policy is asked by domains and asks the database itself.',
      severity: 'error',
      from: { path: '^src/domains/[^/]+\\.ts$' },
      to: { path: '^src/domains/[^/]+/' },
    },
    {
      name: 'entry-points-are-not-imported',
      comment: 'app.ts, services.ts and the entry points put parts together; a part that imports them would import everything.',
      severity: 'error',
      from: { path: '^(src/[^/]+/|generated/)' },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'generated-imports-types-only',
      comment: 'What is generated runs without src/.',
      severity: 'error',
      from: { path: '^generated/' },
      to: { path: '^src/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'acceptance-knows-the-wire-alone',
      comment: 'Acceptance tests see the system as its users do: the SDK and raw HTTP. The route table is what they have to cover.',
      severity: 'error',
      from: { path: '^test/acceptance/' },
      to: { path: '^(src|generated|migrations|seeds|codegen)/', pathNot: ['^src/sdk/', '^generated/sdk/', '^generated/server/routes\\.gen\\.ts$'] },
    },
    {
      name: 'production-imports-production',
      comment: 'What runs in production imports neither tests nor tools.',
      severity: 'error',
      from: { path: '^(src|generated|migrations)/' },
      to: { path: '^(test|codegen|bench)/' },
    },
    {
      name: 'no-development-packages',
      comment: 'The image leaves devDependencies out.',
      severity: 'error',
      from: { path: '^(src|generated|migrations|seeds)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-cycles',
      comment: 'Modules that need each other are one module, or lack a third. Types may know each other.',
      severity: 'error',
      from: { pathNot: '^generated/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-missing-modules',
      comment: 'An import that leads nowhere. The build child takes React Native and Metro from the SDK set it builds with.',
      severity: 'error',
      from: { pathNot: '^src/workers/preview/child/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^sdk-sets/', '^examples/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
    skipAnalysisNotInRules: true,
  },
};
