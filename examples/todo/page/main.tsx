import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { TodoApp } from './todo-app.tsx';

const element = document.getElementById('app');
if (element === null) throw new Error('index.html has an element for the app');
createRoot(element).render(<StrictMode><TodoApp /></StrictMode>);
