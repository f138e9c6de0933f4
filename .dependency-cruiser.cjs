/** Dependencies point down only: each folder may import from the folders named for it, and from no other. */
const may = {
  gpu: [],
  bytes: [],
  csv: ['bytes'],
  columns: ['bytes'],
  onnx: [],
  'training-graph': ['onnx'],
  statistics: [],
  scoring: ['statistics'],
  ranking: ['statistics', 'scoring'],
  engine: ['gpu', 'statistics', 'scoring', 'ranking'],
  resampling: ['statistics', 'scoring', 'engine'],
  model: ['bytes', 'gpu', 'onnx', 'training-graph', 'scoring'],
  table: ['bytes', 'csv', 'columns', 'statistics', 'scoring', 'ranking', 'resampling', 'engine', 'model'],
  data: ['bytes', 'csv', 'columns', 'model'],
};
const layers = Object.entries(may).map(([folder, below]) => ({
  name: `layer-${folder}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/(${[folder, ...below].join('|')})/`,
      '^src/(all-settled-or-throw|available-threads|check-one-of|errors|first-non-finite|node-process|serial-queue|version|worker-folder)\\.ts$',
    ],
  },
}));
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'one-runtime-wrapper',
      comment: 'Only src/model wraps onnxruntime-web.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/model/' },
      to: { path: 'onnxruntime-web' },
    },
    {
      name: 'no-arrow-below-the-table',
      severity: 'error',
      from: {
        path: '^src/(bytes|gpu|csv|columns|onnx|training-graph|statistics|scoring|ranking|resampling|engine)/',
      },
      to: { path: 'apache-arrow' },
    },
    {
      name: 'node-only-in-the-command',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'gpu-behind-its-own-door',
      comment: 'Host numbers know no GPU: what runs there is in engine/webgpu.',
      severity: 'error',
      from: { path: '^src/(statistics|scoring|ranking|resampling)/' },
      to: { path: '^src/(gpu|engine/webgpu)/' },
    },
    ...layers,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
