"""Kind: ranges. What is on both sides of a dash goes "to" the other side; codes with dashes are no ranges."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12:30-14:00", "twelve thirty to fourteen hundred"),
        ("12:30 – 14:00", "twelve thirty to fourteen hundred"),
        ("9am-5pm", "nine ay em to five pee em"),
        ("9 a.m.-5 p.m. daily", "nine ay em to five pee em daily"),
        ("9–11 a.m. daily", "nine to eleven ay em daily"),
        ("$5-10 and $5-$10", "five to ten dollars and five dollars to ten dollars"),
        ("10-20% or 10%-20%", "ten to twenty percent or ten percent to twenty percent"),
        ("5kg-10kg", "five kilograms to ten kilograms"),
        ("20–30°C", "twenty to thirty degrees Celsius"),
        ("Mon-Fri, Jan.-Mar.", "Monday to Friday, January to March."),
        ("1999-2003", "nineteen ninety-nine to two thousand and three"),
        ("1939–45", "nineteen thirty-nine to forty-five"),
        ("1st-3rd place", "first to third place"),
        ("pp. 10–12", "pages ten to twelve"),
        (
            "100-200 people, 500-1000 more",
            "one hundred to two hundred people, five hundred to one thousand more",
        ),
        ("-5--3", "minus five to minus three"),
        ("10 - 20", "ten to twenty"),
        ("10 - 3 = 7", "ten minus three equals seven"),
        ("May 3-June 5", "May third to June fifth"),
        ("555-0182", "five five five, zero one eight two"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+44 20 7946 0958", "four four, two zero, seven nine four six, zero nine five eight"),
        ("3-2-1", "three, two, one"),
        ("8am–noon", "eight ay em to noon"),
        ("Nov. 30 - Dec. 2", "November thirtieth to December second"),
        ("Tuesday-Thursday", "Tuesday to Thursday"),
        ("Mon.-Fri. 9-5", "Monday to Friday nine to five"),
        ("200 BC-AD 300", "two hundred bee see to ay dee three hundred"),
        ("2 million-3 million", "two million to three million"),
        ("#3-#5, No. 3-No. 5", "number three to five, number three to five"),
        ("Q1-Q3", "Q one to Q three"),
        ("A-Z", "A to Z"),
        ("2-1/2 and 1/2-3/4", "two and one half and one half to three quarters"),
        ("50-50", "fifty fifty"),
        ("212.555.0100", "two one two, five five five, zero one zero zero"),
        ("020 7946 0000", "zero two zero, seven nine four six, zero zero zero zero"),
        ("+33 1 23 45 67", "three three, one, two three, four five, six seven"),
        ("call 911 or dial 112", "call nine one one or dial one one two"),
        ("+1-800-FLOWERS", "one, eight zero zero, FLOWERS"),
        ("call 100 people", "call one hundred people"),
        ("007 5", "zero zero seven five"),
        ("well - known - words", "well, known, words"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


# What may stand on each side of a dash. A telephone number has three digits and four.
SIDES = st.one_of(
    st.integers(0, 99).map(str),
    st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda time: f"{time[0]}:{time[1]:02}"),
    st.integers(1800, 2099).map(str),
    st.integers(2, 99).map(lambda number: f"${number}"),
    st.integers(2, 99).map(lambda number: f"{number}%"),
    st.integers(2, 99).map(lambda number: f"{number} km"),
)


@given(SIDES, SIDES, st.sampled_from(["-", "–", " - ", " – "]))
def test_both_sides_are_said_as_they_are_alone(left: str, right: str, dash: str) -> None:
    said = say_in_words(f"from {left}{dash}{right} then")
    joined = f"from {say_in_words(left)} to {say_in_words(right)} then"
    shared = left.startswith("$") and not right.startswith("$")  # $5-10: both are dollars
    assume(not (shared and ":" in right))
    assume(left != right)  # 50-50
    assume((left, right) != ("24", "7"))
    assert shared or dash == " - " or dash == " – " or said == joined
    assert " to " in said
    assert " -" not in said
    assert "- " not in said
