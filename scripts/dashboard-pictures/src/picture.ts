// What take.py writes for each dashboard: its JSON, and what Prometheus answered.
import type { DataTransformerConfig, FieldConfigSource } from '@grafana/data';

export interface Target {
  refId: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  transparent?: boolean;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  fieldConfig?: FieldConfigSource;
  options?: any; // each kind of panel has its own
  transformations?: DataTransformerConfig[];
}

export interface Series {
  metric: Record<string, string>;
  values?: Array<[number, string]>;
  value?: [number, string];
}

export interface Picture {
  dashboard: {
    title: string;
    uid: string;
    panels: Panel[];
    templating: { list: Array<{ name: string; label?: string; type: string; hide?: number }> };
    annotations: { list: Array<{ name: string; iconColor: string; expr?: string }> };
    links?: Array<{ title: string; type: string; asDropdown?: boolean }>;
  };
  titles: string[];
  from: number;
  to: number;
  variables: Record<string, string>;
  annotations: { step: number; answers: Series[][] };
  panels: Record<string, Answers>;
}

// Times are unix seconds; start and end are multiples of the step.
export interface Answers {
  start: number;
  end: number;
  step: number;
  answers: Record<string, Series[]>;
}
