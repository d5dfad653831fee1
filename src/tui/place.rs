//! Places on the screen: panes and tabs, where keys hold, and where a reviewer was.

use ratatui::layout::Rect;
use ratatui::text::Line;
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::domain::ids::CaseId;

/// Rows of the case's pane over what its tab shows: title, tabs, a blank one. Where it is low the case
/// needs the others.
pub fn case_head(pane: Rect) -> u16 {
    if pane.height >= 6 { 3 } else { 1 }
}

/// Rows of the case's pane for what its tab shows.
pub fn case_rows(pane: Rect) -> usize {
    usize::from(pane.height.saturating_sub(case_head(pane)))
}

/// Where an action's keys hold. A more particular place comes before a general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A question with a few answers is asked.
    Asking,
    /// A question that may have several answers is asked.
    AskingSeveral,
    /// A question whose answer is one of many labels is asked.
    AskingLabel,
    /// A step of a scale is asked for.
    AskingScale,
    /// A number or words are asked for.
    AskingWords,
    /// Places in the input are asked for.
    AskingSpan,
    /// Every question is answered.
    Ended,
    Queue,
    /// Something was searched for in the case.
    Found,
    Logs,
    Context,
    Guide,
    Any,
    /// In windows.
    Lines,
    Exchange,
    Picking,
    Prompt,
    Rationale,
    Marking,
    Precedents,
    Labels,
    Ruling,
    Cause,
    WhichLabel,
    RulingWords,
    Sure,
    Overruled,
    Overtaken,
    Calibrations,
    People,
    Board,
    Window,
    Helping,
    Attachment,
    Page,
    /// Words are written: letters are text.
    Writing,
}

impl Place {
    pub const ALL: [Self; 36] = [
        Self::Asking,
        Self::AskingSeveral,
        Self::AskingLabel,
        Self::AskingScale,
        Self::AskingWords,
        Self::AskingSpan,
        Self::Ended,
        Self::Queue,
        Self::Context,
        Self::Found,
        Self::Logs,
        Self::Guide,
        Self::Any,
        Self::Picking,
        Self::Prompt,
        Self::Rationale,
        Self::Marking,
        Self::Precedents,
        Self::Labels,
        Self::Ruling,
        Self::Cause,
        Self::WhichLabel,
        Self::RulingWords,
        Self::Sure,
        Self::Overruled,
        Self::Overtaken,
        Self::Calibrations,
        Self::People,
        Self::Board,
        Self::Exchange,
        Self::Lines,
        Self::Window,
        Self::Helping,
        Self::Attachment,
        Self::Page,
        Self::Writing,
    ];

    /// Whether a key that holds here is taken before one that holds at `other`, where both do.
    pub fn comes_before(self, other: Self) -> bool {
        let in_panes = |place: Self| (place as usize) < Self::Any as usize;
        let in_windows = |place: Self| {
            (place as usize) > Self::Any as usize
                && ![Self::Lines, Self::Window, Self::Writing].contains(&place)
        };
        match other {
            Self::Any => in_panes(self),
            Self::Lines => in_windows(self),
            Self::Window => self == Self::Lines || in_windows(self),
            Self::Writing => in_windows(self) && self.takes_text(),
            _ => false,
        }
    }

    /// Whether a key there answers the question that is asked, or gives the label.
    pub fn answers(self) -> bool {
        (self as usize) <= Self::Ended as usize
    }

    /// Whether letters are text there.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Picking
                | Self::Helping
                | Self::Prompt
                | Self::Rationale
                | Self::RulingWords
                | Self::Writing
        )
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Asking => "A question is asked",
            Self::AskingSeveral => "Several answers may be given",
            Self::AskingLabel => "A label is asked for",
            Self::AskingScale => "A step of a scale is asked for",
            Self::AskingWords => "A number or words are asked for",
            Self::AskingSpan => "Places in the case are asked for",
            Self::Ended => "Every question is answered",
            Self::Queue => "In the queue",
            Self::Context => "In the case",
            Self::Found => "In the case, while something is searched for",
            Self::Logs => "In the logs",
            Self::Guide => "In the guide",
            Self::Any => "Anywhere",
            Self::Picking => "In a list that is narrowed by typing",
            Self::Prompt => "At a prompt",
            Self::Rationale => "While you write why",
            Self::Marking => "While you mark places in the case",
            Self::Precedents => "In the cases like this one",
            Self::Labels => "In labels side by side",
            Self::Ruling => "In a dispute that you rule on",
            Self::Cause => "Asked why reviewers differ",
            Self::WhichLabel => "Asked which label's author you ask",
            Self::RulingWords => "Asked for your reasons",
            Self::Sure => "Asked how sure you are",
            Self::Overruled => "In the list of where you were overruled",
            Self::Overtaken => "Asked which of your two labels counts",
            Self::Calibrations => "In the list of calibration sessions",
            Self::People => "In the list of people",
            Self::Board => "On the board",
            Self::Exchange => "In the window of the exchange",
            Self::Lines => "In any window with lines or a list",
            Self::Window => "In any window",
            Self::Helping => "In this list of keys",
            Self::Attachment => "Looking at a picture, a sound or a file",
            Self::Page => "In a long text, page by page",
            Self::Writing => "In any window in which you write",
        }
    }
}

/// The pane that takes keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Focus {
    Queue,
    #[default]
    Context,
    Guide,
}

/// A tab of the context pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tab {
    Overview,
    #[default]
    Input,
    Logs,
    Neighbours,
    Model,
    History,
}

impl Tab {
    pub const ALL: [Self; 6] =
        [Self::Overview, Self::Input, Self::Logs, Self::Neighbours, Self::Model, Self::History];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Input => "Input",
            Self::Logs => "Logs",
            Self::Neighbours => "Nearby",
            Self::Model => "Model",
            Self::History => "History",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.as_str() == word)
    }

    /// Its place among all.
    pub fn at(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    pub fn step(self, by: isize) -> Self {
        Self::ALL[(self.at() as isize + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }
}

/// Where a reviewer was: kept on disk, to come back to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WhereWasI {
    pub case: Option<CaseId>,
    pub tab: String,
    pub focus: Focus,
    pub scroll: usize,
}

/// From this many columns on, three panes stand side by side.
pub const WIDE: u16 = 120;

/// Where the panes are. A pane that is not shown has no place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    pub queue: Option<Rect>,
    pub context: Option<Rect>,
    pub guide: Option<Rect>,
}

/// What was measured of a state, once: a frame draws it, and scrolling ends where it ends.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    pub layout: Layout,
    /// All rows of the tab that is shown.
    pub context: Rows,
    /// All lines of the guide.
    pub guide: Vec<Line<'static>>,
}

impl Measured {
    /// How far the context can be scrolled.
    pub fn context_overflow(&self) -> usize {
        let rows = self.layout.context.map_or(usize::MAX, case_rows);
        self.context.len().saturating_sub(rows)
    }

    /// How far the guide can be scrolled.
    pub fn guide_overflow(&self) -> usize {
        let rows = self
            .layout
            .guide
            .map_or(usize::MAX, |place| usize::from(place.height).saturating_sub(1));
        self.guide.len().saturating_sub(rows)
    }
}
