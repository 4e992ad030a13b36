// Transformations and field options, applied by @grafana/data as in Grafana.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  type DataFrame,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type GrafanaTheme2,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

import type { Panel } from './picture';

const STANDARD = [
  'unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'mappings', 'links', 'filterable',
  'description', 'fieldMinMax',
];

export function setUpTransformers() {
  // Some have two names there.
  const distinct = new Map(Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]));
  standardTransformersRegistry.setInit(() =>
    [...distinct.values()].map((transformer) => ({
      id: transformer.id,
      name: transformer.name,
      transformation: async () => transformer as any,
      editor: () => null,
      imageDark: '',
      imageLight: '',
    }))
  );
}

export async function prepared(panel: Panel, frames: DataFrame[], theme: GrafanaTheme2): Promise<DataFrame[]> {
  const transformations = panel.transformations ?? [];
  const data = transformations.length ? await lastValueFrom(transformDataFrame(transformations, frames)) : frames;
  const applied = applyFieldOverrides({
    data,
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    fieldConfigRegistry: registry(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
  cacheFieldDisplayNames(applied);
  return applied;
}

// The options that this panel sets: the standard ones, and whatever stands under `custom`.
function registry(panel: Panel): FieldConfigOptionsRegistry {
  const custom = new Set(Object.keys(panel.fieldConfig?.defaults.custom ?? {}));
  for (const rule of panel.fieldConfig?.overrides ?? []) {
    for (const property of rule.properties) {
      if (property.id.startsWith('custom.')) {
        custom.add(property.id.slice('custom.'.length));
      }
    }
  }
  const items = [...STANDARD.map((path) => item(path, false)), ...[...custom].map((path) => item(path, true))];
  return new FieldConfigOptionsRegistry(() => items);
}

function item(path: string, isCustom: boolean): FieldConfigPropertyItem {
  return {
    id: isCustom ? `custom.${path}` : path,
    path,
    name: path,
    isCustom,
    process: (value) => value,
    shouldApply: () => true,
    editor: () => null,
    override: () => null,
  };
}
