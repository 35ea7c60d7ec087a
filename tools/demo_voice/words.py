"""Words of the generated sentences, a tuple a kind."""

# fmt: off
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
LETTERS = (
    "ay", "bee", "see", "dee", "ee", "eff", "gee", "aitch", "eye", "jay", "kay", "ell", "em", "en", "oh",
    "pee", "cue", "ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee",
)
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)
DAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)
NAMES = (
    "Adam", "Agnes", "Albert", "Alice", "Amanda", "Andrew", "Anna", "Arthur", "Barbara", "Ben", "Betty",
    "Brian", "Carl", "Caroline", "Charles", "Chris", "Clara", "Daniel", "Diana", "Edward", "Eleanor",
    "Emily", "Eric", "Eva", "Felix", "Fiona", "Frank", "George", "Grace", "Hannah", "Harold", "Helen",
    "Henry", "Ida", "Irene", "Isaac", "Ivan", "Jack", "Jacob", "James", "Jane", "Jason", "Joan", "Joseph",
    "Julia", "Karen", "Kate", "Kevin", "Laura", "Leo", "Linda", "Lucy", "Marcus", "Margaret", "Maria",
    "Martin", "Mary", "Matthew", "Michael", "Monica", "Nancy", "Nathan", "Nina", "Oliver", "Oscar",
    "Patrick", "Paul", "Peter", "Philip", "Rachel", "Ralph", "Rebecca", "Richard", "Robert", "Rosa", "Ruth",
    "Samuel", "Sandra", "Sarah", "Simon", "Sophie", "Stephen", "Susan", "Teresa", "Thomas", "Victor",
    "Vincent", "Walter", "William",
)
SURNAMES = (
    "Adams", "Baker", "Bell", "Carter", "Clark", "Cooper", "Davis", "Evans", "Fisher", "Foster", "Gray",
    "Green", "Hall", "Harris", "Hughes", "Jackson", "Johnson", "Jones", "King", "Lewis", "Marsh", "Martin",
    "Miller", "Moore", "Morgan", "Nelson", "Parker", "Phillips", "Reed", "Roberts", "Scott", "Smith",
    "Stone", "Taylor", "Thompson", "Turner", "Walker", "Ward", "Watson", "White", "Williams", "Wilson",
    "Wood", "Wright", "Young",
)
PLACES = (
    "Paris", "Rome", "Berlin", "Madrid", "Vienna", "Dublin", "Athens", "Cairo", "Moscow", "Sydney",
    "Toronto", "Boston", "Chicago", "Denver", "Dallas", "Seattle", "Texas", "Florida", "California",
    "Virginia", "England", "Scotland", "Ireland", "France", "Italy", "Spain", "Germany", "Greece", "Norway",
    "Sweden", "Russia", "China", "Japan", "India", "Egypt", "Kenya", "Brazil", "Mexico", "Canada",
    "Australia", "America", "Europe", "Africa", "Asia", "Oxford", "Cambridge", "Manchester", "Liverpool",
    "Philadelphia", "Washington", "New York", "Los Angeles", "San Francisco",
)
STREETS = (
    "Street", "Avenue", "Road", "Lane", "Square", "Boulevard", "Drive",
)
UNITS = (
    "meters", "kilometers", "centimeters", "millimeters", "miles", "feet", "inches", "yards", "kilograms",
    "grams", "pounds", "ounces", "tons", "liters", "gallons", "seconds", "minutes", "hours", "days",
    "weeks", "months", "years", "degrees", "volts", "watts", "percent",
)
TITLES = (
    "Doctor", "Mister", "Missus", "Miss", "Professor", "Captain", "General", "Saint", "President",
    "Senator",
)
SHORT = (
    "for example", "that is", "et cetera", "versus", "approximately", "number", "volume", "department",
    "company", "incorporated", "limited", "junior", "senior", "and so on", "at least", "more than",
    "less than", "per hour", "per day", "at", "and", "plus", "minus", "equals",
)
WHO = (
    "he", "she", "they", "we", "I", "my sister", "his father", "her friend", "the boss", "the lawyer",
    "the soldier", "the cook", "the driver", "our teacher", "the singer", "a stranger", "the manager",
    "the captain", "the woman", "the boy", "the girl", "the man", "nobody", "somebody", "everyone",
    "the police", "the team", "the student", "the painter", "the king", "the queen", "the workers",
)
THINGS = (
    "apple", "arrow", "bag", "ball", "basket", "bed", "bell", "bench", "bicycle", "blanket", "boat",
    "bottle", "bowl", "box", "brush", "button", "camera", "candle", "carpet", "chain", "clock", "cloud",
    "coat", "coin", "corner", "curtain", "desk", "drawer", "drum", "engine", "envelope", "fence", "field",
    "flag", "flower", "forest", "glass", "glove", "guitar", "hammer", "hat", "hill", "horse", "island",
    "jacket", "kettle", "key", "knife", "lamp", "leaf", "letter", "lion", "machine", "map", "mirror",
    "mountain", "needle", "newspaper", "office", "orange", "paper", "path", "picture", "pillow", "pipe",
    "plate", "pocket", "potato", "ring", "road", "roof", "shelf", "shirt", "shoe", "sign", "spoon", "stone",
    "suitcase", "table", "ticket", "tower", "toy", "tree", "truck", "tunnel", "valley", "violin", "watch",
    "wheel", "wire", "yard",
)
KINDS = (
    "ancient", "angry", "big", "black", "blue", "bright", "broken", "brown", "careful", "cheap", "clean",
    "clever", "cold", "common", "curious", "dark", "deep", "dirty", "empty", "expensive", "famous", "fast",
    "flat", "fresh", "full", "gentle", "golden", "green", "heavy", "hidden", "high", "huge", "narrow",
    "new", "noisy", "old", "open", "orange", "pale", "perfect", "plain", "pretty", "proud", "purple",
    "quick", "quiet", "rare", "red", "rough", "round", "sharp", "short", "silver", "simple", "small",
    "soft", "square", "strange", "strong", "sweet", "tall", "thick", "thin", "tiny", "usual", "warm", "wet",
    "white", "wide", "wild", "wooden", "yellow", "young",
)
DOES = (
    "asked for", "broke", "brought", "carried", "caught", "chose", "cleaned", "cut", "described", "drew",
    "dropped", "enjoyed", "fixed", "forgot", "found", "gave away", "hated", "held", "hid", "kept", "liked",
    "lost", "loved", "made", "needed", "noticed", "ordered", "painted", "picked up", "prepared", "pulled",
    "pushed", "put down", "refused", "returned", "saved", "saw", "sold", "stole", "studied", "threw",
    "took", "touched", "tried", "used", "wanted", "washed", "watched", "wore",
)
WHERE = (
    "in the kitchen", "at school", "on the table", "under the tree", "behind the house", "near the lake",
    "across the street", "by the fire", "in the middle of town", "at the airport", "over the hills",
    "between the two walls", "inside the cave", "on the roof", "at home", "in the office", "at the market",
    "through the tunnel", "along the shore", "above the clouds",
)
WHEN = (
    "yesterday", "last year", "two days ago", "in the winter", "before breakfast", "after work", "at noon",
    "every day", "all night", "once", "again", "sometimes", "usually", "for a long time",
    "at the same moment", "during the war", "until evening", "too late", "next month", "right now",
    "as soon as possible", "twice a week", "a long time ago", "in the end",
)
ASK = (
    "why did", "where did", "when did", "how did", "how often did", "who said that", "do you think",
    "is it true that", "did you know that", "are you sure that", "what happened when", "can it be that",
)
# fmt: on
