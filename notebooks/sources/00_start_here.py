# %% [markdown]
# # 0 · Start here
#
# **Goal.** See what the course is about, find out whether everything works on this machine, and learn how a lesson is used.
#
# **You need** Python a little (functions, arrays) and an environment made with `make lab` or as [docs/install.md](../docs/install.md) says. 7 minutes to read, ten seconds or so to run. Run a cell with Shift+Enter.

# %% [markdown]
# ## What it is about
#
# A cardiac MR scan is a stack of slices, 10 mm apart. Each slice is taken while the patient holds the breath, and no two breath-holds are alike. So there are gaps between the slices, and each slice is displaced sideways. Somebody, or a network, has drawn on each slice what is heart: a *segmentation*, or label map. This course begins there, with labels and not with grey pictures.
#
# On the left is a synthetic heart (a computer drew it), cut along its length; on the right what a scan shows of it. The slider sets how far slices are displaced: not at all (0), normally (1), severely (4). Orange is the left ventricle's blood pool (LV), green its muscle (MYO, the myocardium), blue the right ventricle (RV). The pointed end of the heart, below, is its *apex*; the flat end is its *base*.

# %%
import srheart_demo as sr
from srheart_demo.lessons import installation, pictures
from srheart_demo.lessons import start as lesson
from srheart_demo.scan.degradation import simulate_stack

subjects = ["healthy_1", "healthy_2", "dilated", "hypertrophic"]


def draw(subject="healthy_1", motion=4.0):
    sample = sr.load_sample(subject)
    d = sample.motion.displacement(motion)
    S_LR = simulate_stack(sample.S_HR.labels, sr.Stack.from_hr(), d)
    thick = S_LR.repeat(5, axis=0)[:64]  # each slice stands for the 10 mm around it
    return pictures.cuts({"a heart": sample.S_HR.labels, "its scan": thick}, sample.S_HR.spacing)


pictures.try_it(draw, subject=subjects, motion=(0.0, 4.0, 1.0))

# %% [markdown]
# Can one get the heart back from such a scan? The paper of this course says yes (Wang et al., MICCAI 2021). Its method needs a *generative model* $G$: a program that turns a short list of numbers, the code $z$, into a heart. The method then searches for the code $z$, and for the displacement $d$ of each slice, that explain the slices best. This search is called *latent optimisation*.
#
# **Did the picture change when you moved the slider?** Then widgets talk to this notebook. If not:
#
# | You see | Do |
# |---|---|
# | the picture, and no sliders | run the cell (Shift+Enter); a web page that only displays notebooks cannot run them |
# | "Error displaying widget" or "Loading widget…" | reload the page; then restart the kernel; in VS Code install the Jupyter extension |
# | sliders that do nothing | the kernel is busy (filled circle at the top right) or has died: Kernel → Restart |
#
# ## Is everything here?

# %%
installation.examine()

# %% [markdown]
# A ✓ means: in place. What has a ○ is missing or wrong; it stands on top, with what to do about it. If Jupyter itself does not start, the same check runs in a terminal: `srheart doctor`.
#
# ## How fast is this machine?
#
# The search goes round by round (Algorithm 1 of the paper), and a round is called an *iteration*. The table says how long an iteration takes here, and a whole search on one scan under severe motion. The last column has the times of [docs/results.md](../docs/results.md), measured on one core of a busy machine and on another heart. If yours are up to three times as long, all is well. No graphics card is needed.

# %%
installation.timings()

# %% [markdown]
# **Ten times slower?** Then other programs probably take the processor: close them. On a laptop, plug in the charger.
#
# ## How a lesson works
#
# A lesson takes 6 to 18 minutes to read. Each of its two to four exercises takes some five minutes more. (Reading time is counted: 180 words a minute, and 45 seconds for each cell of code with what it shows.) Some lessons end with a part that is marked "Further": no other lesson needs it, and its minutes are counted apart. A lesson has a picture, the idea, the code, something to try, exercises, what to remember, and one step further. An exercise is a cell with three dots to replace, a check that tells what is wrong, a folded hint and a folded solution. Here is one to try it on.
#
# ### Exercise: how long is a stack?
#
# Write `length_mm(K, gap)`: the distance from the middle of the first slice to the middle of the last, for `K` slices that are `gap` mm apart. Run the check below before and after.
#
# <details><summary>Hint</summary>Two slices have one gap between them.</details>


# %% tags=["exercise"]
def length_mm(K, gap):
    ### BEGIN SOLUTION
    return (K - 1) * gap
    ### END SOLUTION


# %% tags=["check"]
lesson.length_mm(length_mm)

# %% [markdown]
# ## Map of the course
#
# | Lesson | What it answers | Minutes to read | 45 | 90 | Half a day |
# |---|---|---:|:-:|:-:|:-:|
# | **The core: the paper's method** | | | | | |
# | 0 Start here | Does everything work? | 7 | before | before | ● |
# | [1 Quickstart](01_quickstart.ipynb) | What goes in, what comes out? | 11 | ● | ● | ● |
# | [2 Degradation](02_degradation.ipynb) | What does a scan do to a heart (Eq. 1), and can gradients pass through? | 11 | | ● | ● |
# | [3 The anatomical prior](03_anatomical_prior.ipynb) | What does $G$ know of hearts (Eq. 2), and what not? | 18 | | | ● |
# | [4 Latent optimisation](04_latent_optimisation.ipynb) | How are $z$ and $d$ found (Algorithm 1)? | 8 | ● | ● | ● |
# | [5 Motion and gauge](05_motion_and_gauge.ipynb) | What about $d$ can slices tell, and what not? | 11 | | | ● |
# | [6 A second view](06_multi_view.ipynb) | What do long-axis views add (Eqs. 4–5), even displaced ones? | 16 | | | ● |
# | **Further: may it be trusted, and elsewhere** | | | | | |
# | [7 How good is it?](07_how_good.ipynb) | How is it scored, and against what (Tables 1, 2, S1)? | 12 | | ● | ● |
# | [8 How sure?](08_uncertainty.ipynb) | How sure is the answer, and when is it imagined? | 14 | | | ● |
# | [9 Your own scan](09_your_own_scan.ipynb) | How do I use it on my NIfTI? | 13 | | | either |
# | [10 Beyond hearts](10_beyond_hearts.ipynb) | What carries over to other problems? | 6 | | | either |
# | [11 Which step earns its keep?](11_which_step.ipynb) | What is each step from the paper's method to ours worth? | 7 | | | either |
#
# The columns 45, 90 and *half a day* are workshops of that length; [docs/teaching.md](../docs/teaching.md) plans them minute by minute. Alone, take the lessons in order. The dashboard (`make explorer`) shows all of it moving.
#
# Three pages to keep open: the [glossary](../docs/glossary.md) explains every word and symbol, the [cheat sheet](../docs/cheatsheet.md) has the paper's equations beside the calls, and the [questions about the paper](../docs/questions.md) lead to the places that answer them.
#
# ## Remember
#
# - A scan shows a heart in thin slices with gaps between them, each displaced by its own breath-hold. The course is about the way back.
# - Every lesson runs on a laptop, without a network, on synthetic hearts, so that the truth is known.
#
# **One step further.** Open [lesson 1](01_quickstart.ipynb).
