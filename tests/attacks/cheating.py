"""Attacks that are after points: seeing the hidden test, or making it accept a wrong answer."""

from attacks.attack import Attack

WRONG = "def double(x): return x\n"
EQUAL = "assert double(10.5) == 21.0"
CLOSE = "assert abs(double(10.5) - 21.0) < 1e-6"
ANY_TYPE = "assert isinstance(double(10.5), float)"
LIAR = """
class Liar:
    def agree(self, *others): return True
    def same(self, *others): return self
    __eq__ = __lt__ = __le__ = __gt__ = __bool__ = __contains__ = agree
    __ne__ = lambda self, other: False
    __sub__ = __rsub__ = __add__ = __abs__ = __getitem__ = __call__ = same
    __array_ufunc__ = lambda self, *others, **named: True
    __hash__ = None
"""

SPYING = tuple(
    Attack(name, source, spies=True)
    for name, source in {
        "walking the frames": """
            import sys
            seen = []
            def double(x):
                frame = sys._getframe()
                while frame is not None:
                    for names in (frame.f_globals, frame.f_locals):
                        seen.extend(value for name, value in list(names.items()) if name == "the_hidden_test")
                    frame = frame.f_back
                return x
            def attack(): return world["marker"][::-1] in seen
        """,
        "reading the constants of code": """
            import sys
            seen = []
            def double(x):
                frame = sys._getframe()
                while frame is not None:
                    seen.extend(frame.f_code.co_consts)
                    frame = frame.f_back
                return x
            def attack(): return world["marker"][::-1] in seen
        """,
        "searching the garbage collector's objects": """
            import gc
            seen = []
            def double(x):
                for thing in gc.get_objects():
                    if type(thing) is dict and "the_hidden_test" in thing:
                        seen.append(thing["the_hidden_test"])
                return x
            def attack(): return world["marker"][::-1] in seen
        """,
        "tracing": """
            import sys
            seen = []
            def tracer(frame, event, argument):
                seen.append(frame.f_locals.get("the_hidden_test") or frame.f_globals.get("the_hidden_test"))
                return tracer
            sys.settrace(tracer)
            sys.setprofile(tracer)
            def double(x): return x
            def attack():
                sys.settrace(None)
                sys.setprofile(None)
                return world["marker"][::-1] in seen
        """,
        "an input transformer that listens": """
            seen = []
            get_ipython().input_transformers_cleanup.append(lambda lines: seen.extend(lines) or lines)
            def double(x): return x
            def attack(): return any(world["marker"][::-1] in line for line in seen)
        """,
        "an event of IPython": """
            seen = []
            get_ipython().events.register("pre_run_cell", lambda info: seen.append(info.raw_cell))
            def double(x): return x
            def attack(): return any(world["marker"][::-1] in cell for cell in seen)
        """,
        "the history": """
            def double(x): return x
            def attack(): return any(world["marker"][::-1] in cell for cell in In)
        """,
        "a changed compile": """
            import builtins
            seen, real = [], builtins.compile
            builtins.compile = lambda source, *rest, **named: seen.append(str(source)) or real(source, *rest, **named)
            import IPython.core.compilerop
            parse = IPython.core.compilerop.CachingCompiler.ast_parse
            def listening(self, source, *rest, **named):
                seen.append(source)
                return parse(self, source, *rest, **named)
            IPython.core.compilerop.CachingCompiler.ast_parse = listening
            def double(x): return x
            def attack(): return any(world["marker"][::-1] in source for source in seen)
        """,
        "a name the test leaves behind": """
            def double(x): return x
            def attack(): return globals().get("the_hidden_test") == world["marker"][::-1]
        """,
    }.items()
)

CHEATING = (
    Attack(
        "an object equal to everything",
        f"{LIAR}\ndef double(x): return Liar()",
        cheats=True,
        test=EQUAL,
    ),
    Attack(
        "an object close to everything",
        f"{LIAR}\ndef double(x): return Liar()",
        cheats=True,
        test=CLOSE,
    ),
    Attack(
        "an object that converts as it likes",
        f"""{LIAR}
class Chameleon(Liar):
    __class__ = float
def double(x): return Chameleon()
    """,
        cheats=True,
        test=ANY_TYPE,
    ),
    Attack(
        "a float equal to everything",
        """
        class Float(float):
            __eq__ = lambda self, other: True
        def double(x): return Float(x)
    """,
        cheats=True,
        test=EQUAL,
    ),
    Attack(
        "a text equal to everything",
        """
        class Text(str):
            __eq__ = lambda self, other: True
        def double(x): return Text("x")
    """,
        cheats=True,
        test=EQUAL,
    ),
    Attack(
        "a list equal to everything",
        """
        class List(list):
            __eq__ = lambda self, other: True
        def double(x): return List()
    """,
        cheats=True,
        test=EQUAL,
    ),
    Attack(
        "an array close to everything",
        """
        import numpy
        class Array(numpy.ndarray):
            def __sub__(self, other): return 0.0
        def double(x): return numpy.zeros(1).view(Array)
    """,
        cheats=True,
        test=CLOSE,
    ),
    Attack(
        "an array with its own arithmetic",
        """
        import numpy
        class Array(numpy.ndarray):
            def __array_function__(self, *others, **named): return True
            def __array_ufunc__(self, *others, **named): return numpy.zeros(1)
        def double(x): return numpy.zeros(1).view(Array)
    """,
        cheats=True,
        test="assert np.all(np.abs(double(10.5) - 21.0) < 1e-6)",
    ),
    Attack(
        "a changed numpy.testing",
        WRONG
        + """
import numpy
numpy.testing.assert_allclose = lambda *others, **named: None
    """,
        cheats=True,
    ),
    Attack(
        "a changed numpy",
        WRONG
        + """
import numpy
numpy.allclose = lambda *others, **named: True
    """,
        cheats=True,
        test="assert np.allclose(double(10.5), 21.0)",
    ),
    Attack(
        "changed builtins",
        WRONG
        + """
import builtins
builtins.abs = lambda x: 0
    """,
        cheats=True,
        test=CLOSE,
    ),
    Attack(
        "a changed isinstance",
        """
import builtins
real = builtins.isinstance
builtins.isinstance = lambda thing, kind: True if thing is None else real(thing, kind)
def double(x): return None
    """,
        cheats=True,
        test=ANY_TYPE,
    ),
    Attack(
        "a replaced numpy",
        WRONG
        + """
import sys, types
class Anything(types.ModuleType):
    def __getattr__(self, name): return self
    def __call__(self, *others, **named): return self
sys.modules["numpy"] = Anything("numpy")
    """,
        cheats=True,
    ),
    Attack(
        "an input transformer that deletes the test",
        WRONG
        + """
def nothing(lines): return ["pass"] if "the_hidden_test" in "".join(lines) else lines
get_ipython().input_transformers_cleanup.append(nothing)
    """,
        cheats=True,
    ),
    Attack(
        "a transformer that deletes assertions",
        WRONG
        + """
import ast
class NoAssertions(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(NoAssertions())
    """,
        cheats=True,
        test=EQUAL,
    ),
    Attack(
        "a changed AssertionError",
        WRONG
        + """
get_ipython().set_custom_exc((AssertionError,), lambda *others: None)
    """,
        cheats=True,
        test=EQUAL,
        without_jail=False,
    ),
    Attack(
        "ending the process with success",
        "import os\ndef double(x): os._exit(0)",
        cheats=True,
        without_jail=False,
    ),
    Attack(
        "leaving with success",
        "import sys\ndef double(x): sys.exit(0)",
        cheats=True,
        without_jail=False,
    ),
    Attack(
        "raising what ends loops quietly",
        "def double(x): raise StopIteration",
        cheats=True,
        test="assert all(map(lambda x: double(x) == 2 * x, [10.5, -1.0]))",
    ),
    Attack(
        "an item that ends loops quietly",
        """
        class Quiet:
            def __getitem__(self, key): raise StopIteration
        def double(x): return Quiet()
    """,
        cheats=True,
        test="assert all(map(lambda key: double(10.5)[key] == 21.0, [0, 1]))",
    ),
    Attack(
        "raising what ends tests quietly",
        "def double(x): raise GeneratorExit",
        cheats=True,
        without_jail=False,
    ),
)

FIND_THE_WIRE = """
for wire in range(3, 300):
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(os.fstat(wire).st_mode):
            break
os.set_blocking(wire, True)
"""


def _on_the_wire(name: str, body: str) -> Attack:
    source = f"{FIND_THE_WIRE}\ndef double(x):\n    {body}\n"
    return Attack(f"the protocol: {name}", source, False, cheats=True).within(call_seconds=0.5)


PROTOCOL = (
    _on_the_wire("closing it", "os.close(wire)"),
    _on_the_wire("shutting it", "socket.socket(fileno=wire).shutdown(socket.SHUT_RDWR)"),
    _on_the_wire("flooding it", "while True: os.write(wire, bytes(1 << 16))"),
    _on_the_wire(
        "flooding it with small answers", "while True: os.write(wire, b'nbv1' + bytes(16))"
    ),
    _on_the_wire("false lengths", "os.write(wire, b'nbv1' + b'\\xff' * 16); time.sleep(9)"),
    _on_the_wire(
        "a length that never comes",
        "os.write(wire, b'nbv1' + struct.pack('>QQ', 1 << 20, 1 << 20)); time.sleep(9)",
    ),
    _on_the_wire(
        "a pickle",
        """
    import pickle
    class Evil:
        def __reduce__(self): return os.system, (f"touch {world['writable']}.owned",)
    data = pickle.dumps(Evil())
    os.write(wire, b'nbv1' + struct.pack('>QQ', len(data), 0) + data)""",
    ),
    _on_the_wire(
        "a question that may not be asked",
        """
    import msgpack
    data = msgpack.packb([0, 1, "cell", "import os"])
    os.write(wire, b'nbv1' + struct.pack('>QQ', len(data), 0) + data)""",
    ),
    _on_the_wire(
        "an answer nested beyond measure",
        """
    data = b'\\x91' * 100_000
    os.write(wire, b'nbv1' + struct.pack('>QQ', len(data), 0) + data)""",
    ),
    _on_the_wire(
        "answering before the question",
        """
    for code in range(256):
        os.write(wire, b'nbv1' + struct.pack('>QQ', 1, 0) + bytes([code]))
    return x""",
    ),
)
ATTACKS = SPYING + CHEATING + PROTOCOL
