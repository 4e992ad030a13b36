import '@fontsource/inter/latin-400.css';
import '@fontsource/inter/latin-500.css';

import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { Dashboard } from './dashboard';
import { prepared, setUpTransformers } from './fields';
import { framesOf } from './frames';
import type { Picture } from './picture';

const theme = createTheme({ colors: { mode: 'dark' } });

async function show(uid: string) {
  setUpTransformers();
  const picture: Picture = await (await fetch(`../data/${uid}.json`)).json();
  const panels = await Promise.all(
    picture.dashboard.panels.map(async (panel) => ({ panel, frames: await prepared(panel, framesOf(panel, picture.panels[panel.id]!), theme) }))
  );
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PortalContainer />
      <Dashboard picture={picture} panels={panels} />
    </ThemeContext.Provider>
  );
}

show(new URLSearchParams(location.search).get('dashboard') ?? '');
